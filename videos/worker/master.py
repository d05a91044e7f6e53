"""Dramatiq's master process, with our form of log lines: started by `manage.py work`."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils.log import configure_logging
from dramatiq import cli

from engines.sandbox import hide_from_children


def main() -> int:
    """Dramatiq's own command line; returns its exit code."""
    hide_from_children()
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)  # Dramatiq leaves a configured log as it is
    with _counters_of_all_processes():
        return int(cli.main() or 0)  # type: ignore[no-untyped-call]  # Dramatiq has no types


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


if __name__ == "__main__":
    sys.exit(main())
