"""`manage.py rebuild_usage`: compute the usage by day again from the ledger and the items."""

from typing import Any

from django.db import transaction

from accounts.models import UsageDay
from accounts.services import usage
from videos.services.usage_rebuild import sums_of_the_past
from zhiying.kernel.statement_limits import LongCommand


class Command(LongCommand):
    """Safe while everything runs: what happens meanwhile is added to the new sums."""

    help = "Compute the usage figures by day again from the ledger and the items."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        usage.lock()
        usage.replace_all(sums_of_the_past())
        self.stdout.write(f"{UsageDay.objects.count()} rows of usage computed.")
