"""`manage.py audit_credits`: does every balance equal its ledger?"""

import sys
from typing import Any

from accounts.services.ledger_check import check
from zhiying.kernel.statement_limits import LongCommand


class Command(LongCommand):
    """Exits with 1 and a report when some balance does not."""

    help = "Check that every user's credits equal the sum of their ledger, and every refund its charge."

    def handle(self, *args: Any, **options: Any) -> None:
        report = check()
        for line in report.lines:
            self.stderr.write(line)
        if report.discrepancies:
            self.stderr.write(f"{report.discrepancies} discrepancies.")
            sys.exit(1)
        self.stdout.write(f"{report.users} users checked; every balance equals its ledger.")
