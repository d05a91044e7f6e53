"""`manage.py serve`: the whole platform in one process."""

import logging
import signal
import tempfile
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

import dramatiq
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from filelock import FileLock, Timeout

from accounts.services.first_admin import ensure_first_admin
from videos.store import scratch
from videos.store.installation import claim_store
from zhiying.broker import is_in_process
from zhiying.kernel.origin import Origin, acting_from
from zhiying.version import VERSION

WORKER_STOP_TIMEOUT_MS = 10_000
MAX_CONNECTIONS = 1000
"""Open at once. They cost no thread while a body arrives, and whoever comes beyond has to wait."""

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Migrates, makes the first administrator, serves, and renders, until it is stopped."""

    help = "Run everything in one process: migrations, first administrator, web server and workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        lock = FileLock(settings.DATA_DIR / "serve.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise CommandError(
                f"Another server is running on {settings.DATA_DIR}. Stop it first, or set another DATA_DIR."
            ) from error
        with lock:
            self._run(options["host"], options["port"])

    def _run(self, host: str, port: int) -> None:
        from zhiying.embedded_server import embedded_server
        from zhiying.wsgi import application

        tempfile.tempdir = str(scratch.own_folder())  # waitress keeps large request bodies there, not in /tmp
        call_command("migrate", interactive=False, verbosity=0)
        self._first_admin()
        if problem := claim_store():
            logger.critical(
                "The files in the store are another installation's (%s): none is removed", problem
            )
        try:
            server = embedded_server(
                application,
                host=host,
                port=port,
                threads=settings.WEB_THREADS,
                ident=None,
                connection_limit=MAX_CONNECTIONS,
                asyncore_use_poll=True,  # select() breaks at the 1024th open file
                clear_untrusted_proxy_headers=False,  # NUM_PROXIES decides what is believed
            )
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host}:{port}: {error.strerror}. Set another PORT."
            ) from error
        worker = _start_worker()
        _stop_on_signals()
        self._announce(host, port)
        try:
            server.run()
        except (KeyboardInterrupt, SystemExit):
            pass
        finally:
            self.stdout.write("Stopping …")
            server.close()
            worker.stop(timeout=WORKER_STOP_TIMEOUT_MS)
            self.stdout.write("Stopped. Unfinished videos go on at the next start.")

    def _first_admin(self) -> None:
        with acting_from(Origin(command="serve")):
            made = ensure_first_admin(
                username=settings.ADMIN_USERNAME,
                password=settings.ADMIN_PASSWORD or None,
            )
        if made and made.generated_password:
            self.stdout.write(
                f"\n  First administrator: {made.username}\n  Password:            {made.generated_password}"
                "\n  (shown only this once; change it after logging in)\n"
            )

    def _announce(self, host: str, port: int) -> None:
        shown = "localhost" if host in {"0.0.0.0", "::", "127.0.0.1"} else host  # noqa: S104
        if ":" in shown:
            shown = f"[{shown}]"
        origin = settings.PUBLIC_URL or f"http://{shown}:{port}"
        self.stdout.write(
            f"\n智影 AI · ZhiYing {VERSION} — {origin}\n"
            f"  API {origin}/api/docs   Admin site {origin}/admin/   Data {settings.DATA_DIR}\n"
            "  Ctrl-C stops it.\n"
        )
        self.stdout.flush()


def _start_worker() -> dramatiq.Worker:
    from videos.services import attempts, remote_jobs

    broker = dramatiq.get_broker()
    if is_in_process(settings.BROKER_URL) and not settings.PRODUCTION:
        # The lock says that no other server lives here, so nobody renders what a killed one had claimed.
        remote_jobs.let_go_all()
        reclaimed = attempts.reclaim_all()
        if reclaimed:
            logger.info("Went on with %d videos of the last run", reclaimed)
    broker.emit_after("process_boot")
    worker = dramatiq.Worker(broker, worker_threads=settings.WORKER_THREADS, worker_timeout=100)
    worker.start()
    return worker


def _stop_on_signals() -> None:
    def stop(number: int, frame: Any) -> None:
        # A second signal while stopping must not tear the stopping down.
        for known in (signal.SIGINT, signal.SIGTERM):
            with suppress(ValueError):
                signal.signal(known, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
