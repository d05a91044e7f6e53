"""`manage.py rebuild_usage`: compute the usage by day again from the ledger and the items."""

from typing import Any

from django.db import transaction

from accounts.models import AuditAction, UsageDay
from accounts.services import audit_log, usage
from videos.models import Installation
from videos.services.usage_rebuild import sums_of_the_past
from zhiying.kernel.origin import NamedCommand
from zhiying.kernel.statement_limits import LongCommand


class Command(NamedCommand, LongCommand):
    """Safe while everything runs: what happens meanwhile is added to the new sums."""

    help = "Compute the usage figures by day again from the ledger and the items."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        usage.lock()
        usage.replace_all(sums_of_the_past())
        rows, what = UsageDay.objects.count(), Installation.objects.first() or Installation()
        audit_log.record(AuditAction.USAGE_REBUILD, acting_user=None, target=what, details={"count": rows})
        self.stdout.write(f"{rows} rows of usage computed.")
