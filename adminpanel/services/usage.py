"""Usage figures: what was made, what failed and why, who is busy."""

from collections.abc import Mapping
from datetime import date, timedelta
from heapq import nlargest
from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from accounts.services import usage as sums

BUSIEST_USERS = 10

_SHOWN = {
    "videos": "videos",
    "failed": "failed",
    "credits_charged": "charged",
    "credits_refunded": "refunded",
}
"""Names of the figures in answers, and in the sums."""


def usage(days: int) -> dict[str, Any]:
    """Figures of the last `days` local days, today included, from the sums kept by day."""
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)
    figures = sums.by_day(first)
    span = [first + timedelta(days=number) for number in range(days)]
    by_day = [{"date": day, **_shown(figures.get(day, {}))} for day in span]
    users = list(sums.of_users(first).values_list("user_id").annotate(Sum("videos"), Sum("batches")))
    return {
        "days": by_day,
        "failures": _failures(first),
        "users": _busiest({user_id: videos for user_id, videos, _ in users if user_id and videos}),
        "totals": {
            "users": User.objects.count(),
            "active_users": sum(1 for *_, batches in users if batches),
            "batches": sum(day["batches"] for day in figures.values()),
            **{name: sum(day[name] for day in by_day) for name in _SHOWN},
        },
    }


def _shown(figures: Mapping[str, int]) -> dict[str, Any]:
    return {name: figures.get(field, 0) for name, field in _SHOWN.items()}


def _failures(first: date) -> list[dict[str, Any]]:
    failed = sums.of_all(first).exclude(code="").values("code").annotate(count=Sum("failed"))
    return [dict(row) for row in failed.order_by("-count", "code")]


def _busiest(videos: Mapping[UUID, int]) -> list[dict[str, Any]]:
    most = dict(nlargest(BUSIEST_USERS, videos.items(), key=lambda entry: (entry[1], str(entry[0]))))
    users = User.objects.filter(pk__in=most)
    shown = [
        {"id": str(user.pk), "username": user.username, "videos": most[user.pk], "credits": user.credits}
        for user in users
    ]
    return sorted(shown, key=lambda user: (-user["videos"], user["username"]))
