"""Usage figures: what was made, what failed and why, who is busy."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import UsageDay, User

BUSIEST_USERS = 10

_SHOWN = {
    "videos": "videos",
    "failed": "failed",
    "credits_charged": "charged",
    "credits_refunded": "refunded",
}
"""Names of the figures in answers, and in `UsageDay`."""
_SUMS = {f"sum_of_{field}": Sum(field) for field in _SHOWN.values()}


def usage(days: int) -> dict[str, Any]:
    """Figures of the last `days` local days, today included, from the sums kept by day."""
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)
    rows = UsageDay.objects.filter(day__gte=first).order_by()
    by_day = _by_day(rows, first, today)
    return {
        "days": by_day,
        "failures": _failures(rows),
        "users": _busiest(rows),
        "totals": {
            "users": User.objects.count(),
            **rows.aggregate(
                active_users=Count("user", distinct=True, filter=Q(batches__gt=0)),
                batches=Sum("batches", default=0),
            ),
            **{name: sum(day[name] for day in by_day) for name in _SHOWN},
        },
    }


def _by_day(rows: "QuerySet[UsageDay]", first: date, today: date) -> list[dict[str, Any]]:
    figures: dict[date, dict[str, Any]] = {
        row["day"]: dict(row) for row in rows.values("day").annotate(**_SUMS)
    }
    span = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    return [
        {
            "date": day,
            **{name: figures.get(day, {}).get(f"sum_of_{field}", 0) for name, field in _SHOWN.items()},
        }
        for day in span
    ]


def _failures(rows: "QuerySet[UsageDay]") -> list[dict[str, Any]]:
    failed = rows.filter(failed__gt=0).values("code").annotate(count=Sum("failed"))
    return [dict(row) for row in failed.order_by("-count", "code")]


def _busiest(rows: "QuerySet[UsageDay]") -> list[dict[str, Any]]:
    counts = dict(
        rows.filter(videos__gt=0)
        .values_list("user_id")
        .annotate(n=Sum("videos"))
        .order_by("-n", "user_id")[:BUSIEST_USERS]
    )
    users = User.objects.in_bulk(list(counts))
    shown = [
        {"id": str(pk), "username": users[pk].username, "videos": count, "credits": users[pk].credits}
        for pk, count in counts.items()
    ]
    return sorted(shown, key=lambda user: (-user["videos"], user["username"]))
