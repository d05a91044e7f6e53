"""Dramatiq's master process, with our form of log lines: started by `manage.py work`."""

import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
from django.conf import settings
from django.utils.log import configure_logging
from dramatiq import cli

from engines.sandbox import hide_from_children

LOOK_S = 1.0
PATIENCE_S = 60.0
"""How long worker processes may go on after the first of them: twice as long as an orderly stop takes."""

logger = logging.getLogger(__name__)


def main() -> int:
    """Dramatiq's own command line; returns its exit code."""
    hide_from_children()
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)  # Dramatiq leaves a configured log as it is
    told: Any = cli.make_argument_parser().parse_args()  # type: ignore[no-untyped-call]  # it has no types
    _end_all_with_the_first(told.processes)
    with _counters_of_all_processes():
        return int(cli.main(told) or 0)  # type: ignore[no-untyped-call]


@contextmanager
def _counters_of_all_processes() -> Iterator[None]:
    """Files in which the processes count, where somebody scrapes them.

    `prometheus_client` looks for the variable when it is imported. A worker process that dies takes the
    others with it, so there are no more files than processes.
    """
    if not settings.WORKER_METRICS_PORT:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="zhiying-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


def _end_all_with_the_first(processes: int) -> None:
    """See to it, in a thread, that no worker process outlives another by more than `PATIENCE_S`.

    When one dies, Dramatiq asks the others to stop and waits for them without end: one that is frozen would
    keep whoever supervises the master from starting all of them anew.
    """
    watch = threading.Thread(target=_watch, args=(processes,), name="watch", daemon=True)
    # Signals are Dramatiq's business. A thread begins with the mask of the one that starts it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        watch.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watch(processes: int) -> None:
    """Only looks: whoever waits for a process takes its exit code away from Dramatiq."""
    master = psutil.Process()
    begun: set[psutil.Process] = set()
    since: float | None = None
    while True:
        time.sleep(LOOK_S)
        if len(begun) < processes:
            begun.update(child for child in master.children() if _is_fork(child, master))
        left = {process for process in begun if _lives(process)}
        if since is None and left != begun:
            since = time.monotonic()
        if since is None or time.monotonic() < since + PATIENCE_S:
            continue
        for process in left:
            logger.critical("Worker process %d does not stop; it is killed", process.pid)
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _is_fork(child: psutil.Process, master: psutil.Process) -> bool:
    """A worker process, and no program that something calls for a moment."""
    with suppress(psutil.Error):
        return child.cmdline() == master.cmdline()
    return False


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    sys.exit(main())
