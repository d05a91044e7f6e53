"""What a worker process does beside answering hints: look for work, sweep, tell that it lives, stop."""

import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import close_old_connections, connections
from dramatiq import Worker
from dramatiq.broker import Broker
from dramatiq.middleware import Middleware

from videos import counters
from videos.worker import exposition
from videos.worker.stopping import stopping
from zhiying.kernel import tracing
from zhiying.kernel.outages import log_trouble

BEAT_S = 5.0
"""Between two signs of life in the registry."""
WATCH_S = 1.0
ORPHAN_S = 45.0
"""How long a process without a master may take to stop; in order that takes half a minute at most."""
THREAD_RETRY_S = 1.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

logger = logging.getLogger(__name__)


class WorkerLifecycle(Middleware):
    """Starts a worker's own threads when it boots and tells running renders when it shuts down."""

    def after_process_boot(self, broker: Broker) -> None:
        end_with_the_master()
        counters.begin()
        if settings.WORKER_METRICS_PORT and exposition.has_files():
            _start("figures", exposition.answer_for_ever)

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        from videos.scheduling.engines import local_engines, remote_engines
        from videos.scheduling.sweep import clean_if_due, sweep_if_due, sweep_interval_s
        from videos.worker.remote import ROUND_S, carry
        from videos.worker.slots import slots

        stopping.clear()
        _start("renderers", slots.start)
        _start("sweeper", lambda: _repeat(sweep_if_due, sweep_interval_s))
        _start("cleaner", lambda: _repeat(clean_if_due, lambda: settings.SWEEP_INTERVAL_S))
        if local_engines():
            _start("poller", lambda: _repeat(_look_for_work, lambda: settings.IDLE_LOOK_S))
        for engine in remote_engines():
            _start(f"jobs of {engine}", partial(_repeat, partial(carry, engine), lambda: ROUND_S))
        _start("registration", _live)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        stopping.set()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        from videos.worker.remote import leave_jobs
        from videos.worker.slots import slots

        for thread in threading.enumerate():
            if thread.name.startswith("renders-"):
                thread.join(BEAT_S)
        leave_jobs(BEAT_S)
        slots.close()
        tracing.flush()


def _start(name: str, work: Callable[[], None]) -> None:
    """Do `work` in a thread; where no more can be started, as soon as one can.

    A worker that lacked one would go on without: what is raised at its boot is only logged.
    """
    while True:
        try:
            threading.Thread(target=work, name=name, daemon=True).start()
        except RuntimeError:
            logger.error("No thread can be started for: %s", name)
            if stopping.wait(THREAD_RETRY_S):
                raise
        else:
            return


def _repeat(work: Callable[[], object], interval_s: Callable[[], float]) -> None:
    """Do `work` again and again until the process stops; a failure is logged and tried again."""
    while not stopping.is_set():
        close_old_connections()
        try:
            work()
        except Exception as error:  # noqa: BLE001  (logged, and tried again)
            log_trouble(threading.current_thread().name, error)
            close_old_connections()
        stopping.wait(interval_s())
    connections.close_all()


def _look_for_work() -> None:
    """Fill the free places by ourselves: brokers lose, delay and refuse messages, and hang."""
    from videos.engine_names import lane_engines_of
    from videos.scheduling.engines import local_engines
    from videos.services.taking import work_waits
    from videos.worker.remote import results_waiting
    from videos.worker.slots import slots
    from videos.worker.trouble import pause, working

    places = slots.free() - results_waiting()
    if places > 0 and pause.over() and work_waits(lane_engines_of(working(local_engines()))):
        for number in range(places):
            _start(f"renders-{number}-{time.monotonic_ns()}", _work)


def _work() -> None:
    from videos.worker.runner import work_until_idle

    try:
        work_until_idle()
    except Exception:
        logger.exception("Work stopped; it will be taken up again")
    finally:
        connections.close_all()


def _live() -> None:
    from videos.worker.registry import registration

    _repeat(registration.beat, lambda: BEAT_S)
    try:
        registration.leave()
    except Exception as error:  # noqa: BLE001  (the process ends; a stale row goes by itself)
        logger.warning("Could not leave the list of workers: %s", type(error).__name__)
    connections.close_all()


def end_with_the_master() -> None:
    """A process whose master was killed must not go on beside the master's successor."""
    master = multiprocessing.parent_process()
    if master is None:
        return  # this process is its own master, as in `manage.py serve`
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    _start("master watch", lambda: _watch(master.pid))


def _watch(master: int | None) -> None:
    """For the moment before the signal was asked for, for systems without it, and for a process that cannot
    obey: one whose master died while it told that it was there waits for ever in its main thread.
    """
    while os.getppid() == master:
        time.sleep(WATCH_S)
    logger.error("The master process is gone; stopping")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_S)
    logger.critical("The master process is gone, and this one does not stop; ending it")
    os._exit(1)
