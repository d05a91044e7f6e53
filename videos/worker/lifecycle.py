"""What a worker process does beside working: sweep now and then, and stop quickly when asked."""

import logging
import threading
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from dramatiq import Worker
from dramatiq.broker import Broker
from dramatiq.middleware import Middleware

from videos.worker.stopping import stopping

logger = logging.getLogger(__name__)


class WorkerLifecycle(Middleware):
    """Starts the sweeper when a worker boots and tells running renders when it shuts down."""

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        stopping.clear()
        threading.Thread(target=_sweep_until_stopped, name="sweeper", daemon=True).start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        stopping.set()

    def after_worker_thread_boot(self, broker: Broker, thread: Any) -> None:
        from videos.worker.runner import start_renderer

        start_renderer()

    def before_worker_thread_shutdown(self, broker: Broker, thread: Any) -> None:
        from videos.worker.runner import close_renderer

        close_renderer()


def _sweep_until_stopped() -> None:
    from videos.scheduling.sweep import sweep_if_due

    while not stopping.is_set():
        close_old_connections()
        try:
            sweep_if_due()
        except Exception:
            logger.exception("The sweep failed; it will be tried again")
        finally:
            close_old_connections()
        stopping.wait(settings.SWEEP_INTERVAL_S)
