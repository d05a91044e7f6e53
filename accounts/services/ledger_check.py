"""Does every balance equal its ledger?"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import BigIntegerField, F, OuterRef, Subquery, Sum, Window
from django.db.models.functions import Coalesce

from accounts.models import CreditEntry, User


@dataclass(frozen=True)
class Discrepancy:
    """A user whose numbers do not agree."""

    username: str
    problem: str


def find_discrepancies() -> Iterator[Discrepancy]:
    """Yield every user whose balance differs from the ledger, and every entry whose running sum is off.

    Three statements, whatever the number of users.
    """
    yield from _users_off_balance()
    yield from _entries_off_running_sum()


def _users_off_balance() -> Iterator[Discrepancy]:
    sums = CreditEntry.objects.filter(user=OuterRef("pk")).order_by().values("user").annotate(s=Sum("amount"))
    ledger = Coalesce(Subquery(sums.values("s"), output_field=BigIntegerField()), 0)
    users = User.objects.annotate(ledger_sum=ledger).exclude(credits=F("ledger_sum")).order_by("username")
    for username, balance, total in users.values_list("username", "credits", "ledger_sum"):
        yield Discrepancy(username, f"balance {balance}, ledger {total}")


def _entries_off_running_sum() -> Iterator[Discrepancy]:
    running = Window(Sum("amount"), partition_by=F("user"), order_by=F("number").asc())
    rows = (
        CreditEntry.objects.order_by("number")
        .annotate(running=running)
        .exclude(balance_after=F("running"))
        .values_list("user__username", "id", "balance_after", "running")
    )
    for username, entry_id, balance, total in rows.iterator():
        yield Discrepancy(username, f"entry {entry_id} says {balance} after it, the ledger {total}")
