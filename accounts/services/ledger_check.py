"""Does every balance equal its ledger, and every refund its charge?"""

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

_REFUND_OF_ANOTHER_PRICE = """
    SELECT r.operation_key, r.amount, c.amount
    FROM credit_entries r
    LEFT JOIN credit_entries c ON c.operation_key = 'charge:' || substr(r.operation_key, 8)
    WHERE r.kind = 'refund' AND coalesce(c.amount, 0) + r.amount <> 0
    ORDER BY r.number
"""


@dataclass
class Report:
    """What an audit found."""

    users: int = 0
    """Users looked at."""
    discrepancies: int = 0
    """Balances, running balances and refunds that are wrong."""
    lines: list[str] = field(default_factory=list)
    """The first of them in words."""


def check() -> Report:
    """Compare each user's balance with the ledger, and each entry's with the sum of those up to it.

    And each refund with the charge of its run. The ledger is read three times from end to end, whatever
    is found.
    """
    report = Report()
    _compare_balances(report)
    _compare_running_sums(report)
    _compare_refunds(report)
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


def _compare_refunds(report: Report) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_REFUND_OF_ANOTHER_PRICE)
        found = cursor.fetchall()
    report.discrepancies += len(found)
    for operation_key, refunded, charged in found[:SHOWN]:
        report.lines.append(f"{operation_key}: {refunded} given back, {-(charged or 0)} charged")
