"""Usage figures: what was made, what failed and why, who is busy."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import CreditEntry, EntryKind, User
from accounts.services.ledger_reads import start_of_day
from videos.models import Batch, ItemStatus, VideoItem

BUSIEST_USERS = 10


def usage(days: int) -> dict[str, Any]:
    """Figures of the last `days` local days, today included, in six queries."""
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)
    items = VideoItem.objects.filter(finished_at__gte=start_of_day(first)).order_by()
    entries = CreditEntry.objects.filter(created_at__gte=start_of_day(first)).order_by()
    batches = Batch.objects.filter(created_at__gte=start_of_day(first)).order_by()
    by_day = _by_day(items, entries, first, today)
    return {
        "days": by_day,
        "failures": _failures(items),
        "users": _busiest(items),
        "totals": {
            "users": User.objects.count(),
            **batches.aggregate(active_users=Count("user", distinct=True), batches=Count("pk")),
            **{name: sum(day[name] for day in by_day) for name in _FIGURES},
        },
    }


_FIGURES = ("videos", "failed", "credits_charged", "credits_refunded")


def _by_day(items: Any, entries: Any, first: date, today: date) -> list[dict[str, Any]]:
    figures: dict[date, dict[str, int]] = defaultdict(dict)
    for row in (
        items.annotate(day=TruncDate("finished_at"))
        .values("day")
        .annotate(
            videos=Count("pk", filter=Q(status=ItemStatus.COMPLETED)),
            failed=Count("pk", filter=Q(status=ItemStatus.FAILED)),
        )
    ):
        figures[row["day"]] |= {"videos": row["videos"], "failed": row["failed"]}
    for row in (
        entries.annotate(day=TruncDate("created_at"))
        .values("day")
        .annotate(
            charged=Sum("amount", filter=Q(kind=EntryKind.CHARGE), default=0),
            refunded=Sum("amount", filter=Q(kind=EntryKind.REFUND), default=0),
        )
    ):
        figures[row["day"]] |= {"credits_charged": -row["charged"], "credits_refunded": row["refunded"]}
    span = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    return [{"date": day, **dict.fromkeys(_FIGURES, 0), **figures[day]} for day in span]


def _failures(items: Any) -> list[dict[str, Any]]:
    failed = items.filter(status=ItemStatus.FAILED).values("error_code").annotate(count=Count("pk"))
    return [
        {"code": row["error_code"], "count": row["count"]} for row in failed.order_by("-count", "error_code")
    ]


def _busiest(items: Any) -> list[dict[str, Any]]:
    rows = (
        items.filter(status=ItemStatus.COMPLETED)
        .values(
            user_id=F("batch__user_id"),
            username=F("batch__user__username"),
            credits=F("batch__user__credits"),
        )
        .annotate(videos=Count("pk"))
        .order_by("-videos", "username")[:BUSIEST_USERS]
    )
    return [
        {
            "id": str(row["user_id"]),
            "username": row["username"],
            "videos": row["videos"],
            "credits": row["credits"],
        }
        for row in rows
    ]
