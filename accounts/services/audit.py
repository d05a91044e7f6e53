"""Does every balance equal its ledger?"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery, Sum, Window
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
    for user in _users_off_balance():
        yield Discrepancy(user.username, f"balance {user.credits}, ledger {user.ledger_sum}")
    for entry in _entries_off_running_sum():
        yield Discrepancy(
            entry["user__username"],
            f"entry {entry['id']} says {entry['balance_after']} after it, the ledger {entry['running']}",
        )


def _users_off_balance() -> "QuerySet[User]":
    sums = CreditEntry.objects.filter(user=OuterRef("pk")).order_by().values("user").annotate(s=Sum("amount"))
    ledger = Coalesce(Subquery(sums.values("s"), output_field=BigIntegerField()), 0)
    return User.objects.annotate(ledger_sum=ledger).exclude(credits=F("ledger_sum")).order_by("username")


def _entries_off_running_sum() -> Iterator[dict[str, object]]:
    running = Window(Sum("amount"), partition_by=F("user"), order_by=F("number").asc())
    rows = (
        CreditEntry.objects.order_by("number")
        .annotate(running=running)
        .exclude(balance_after=F("running"))
        .values("id", "user__username", "balance_after", "running")
    )
    yield from rows.iterator()
