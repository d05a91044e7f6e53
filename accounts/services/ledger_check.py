"""Does every balance equal its ledger?"""

from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from accounts.models import CreditEntry, User

SHOWN = 50
"""Users whose trouble is spelled out; the rest is counted."""

_OFF_RUNNING_SUM = """
    SELECT user_id, count(*), min(number) FROM (
        SELECT user_id, number, balance_after,
               sum(amount) OVER (PARTITION BY user_id ORDER BY number) AS running
        FROM credit_entries
    ) AS entries
    WHERE balance_after <> running GROUP BY user_id ORDER BY min(number)
"""


@dataclass
class Report:
    """What an audit found."""

    users: int = 0
    """Users looked at."""
    discrepancies: int = 0
    """Balances and running balances that are wrong."""
    lines: list[str] = field(default_factory=list)
    """The first of them in words."""


def check() -> Report:
    """Compare each user's balance with the ledger, and each entry's with the sum of those up to it.

    The ledger is read twice from end to end, whatever is found.
    """
    report = Report()
    _compare_balances(report)
    _compare_running_sums(report)
    return report


def _compare_balances(report: Report) -> None:
    by_user = CreditEntry.objects.order_by().values_list("user_id")
    sums = dict(by_user.annotate(total=Sum("amount")))
    users = User.objects.order_by("username").values_list("pk", "username", "credits")
    for user_id, username, balance in users.iterator():
        report.users += 1
        if balance != (total := sums.get(user_id, 0)):
            report.discrepancies += 1
            if report.discrepancies <= SHOWN:
                report.lines.append(f"{username}: balance {balance}, ledger {total}")


def _compare_running_sums(report: Report) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OFF_RUNNING_SUM)
        found = [(UUID(str(user_id)), count, first) for user_id, count, first in cursor.fetchall()]
    report.discrepancies += sum(count for _, count, _ in found)
    for user_id, count, number in found[:SHOWN]:
        entry = CreditEntry.objects.select_related("user").get(number=number)
        earlier = CreditEntry.objects.filter(user_id=user_id, number__lte=number)
        total = earlier.aggregate(total=Sum("amount"))["total"]
        more = f", and {count - 1} entries after it are wrong too" if count > 1 else ""
        report.lines.append(
            f"{entry.user.username}: entry {entry.id} says {entry.balance_after} after it,"
            f" the ledger {total}{more}"
        )
