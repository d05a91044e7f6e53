"""`manage.py work`: worker processes, under Dramatiq's master process."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django_dramatiq.management.commands.rundramatiq import Command as RunDramatiq

SHUTDOWN_TIMEOUT_MS = 30_000
"""A render that is asked to stop is gone within a heartbeat."""


class Command(BaseCommand):
    """Checks the settings, then becomes Dramatiq's master."""

    help = "Render what waits, until stopped: processes of WORKER_THREADS renders at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--processes", type=int, default=1)
        parser.add_argument("--pid-file", help="Where the master process writes its number.")

    def handle(self, *args: Any, **options: Any) -> None:
        threads = str(settings.WORKER_THREADS)
        words = ["--processes", str(options["processes"]), "--threads", threads]
        words += ["--worker-shutdown-timeout", str(SHUTDOWN_TIMEOUT_MS)]
        if options["pid_file"]:
            words += ["--pid-file", options["pid_file"]]
        # A hint that waits here for a free thread is one that no other process can answer.
        os.environ.setdefault("dramatiq_queue_prefetch", threads)
        os.environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")])
        )
        modules = RunDramatiq().discover_tasks_modules()
        self.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "videos.worker.master", *words, *modules])  # noqa: S606
