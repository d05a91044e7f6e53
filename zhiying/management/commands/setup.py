"""`manage.py setup`: everything that a release needs before its processes start, in one process."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection


class Command(BaseCommand):
    """Safe to run again, and beside processes that work. Starting Python four times would take longer."""

    help = "Check the settings, migrate, prepare the bucket, and make the first administrator."
    requires_system_checks = []  # the first step makes them, and more

    def handle(self, *args: Any, **options: Any) -> None:
        streams = {"stdout": self.stdout, "stderr": self.stderr}
        call_command("check", deploy=True, **streams)
        call_command("migrate", interactive=False, **streams)
        connection.close()  # migrating waits for others shorter than the rest may
        call_command("prepare_store", **streams)
        call_command("create_admin", **streams)
