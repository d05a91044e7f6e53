"""`manage.py audit_credits`: does every balance equal its ledger?"""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import User
from accounts.services.ledger_check import find_discrepancies


class Command(BaseCommand):
    """Exits with 1 and a report when some balance does not."""

    help = "Check that every user's credits equal the sum of their ledger."

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(find_discrepancies())
        for discrepancy in found:
            self.stderr.write(f"{discrepancy.username}: {discrepancy.problem}")
        if found:
            self.stderr.write(f"{len(found)} discrepancies.")
            sys.exit(1)
        self.stdout.write(f"{User.objects.count()} users checked; every balance equals its ledger.")
