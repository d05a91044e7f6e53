"""Usage by day: recorded with each event, merged now and then, summed when somebody asks."""

from collections import defaultdict
from datetime import date
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import UsageDay

FIGURES = ("batches", "videos", "failed", "charged", "refunded")
MERGED_AT_ONCE = 5000
"""Rows that one call of `merge` takes away, so that its transaction stays short."""


def record(*, user_id: UUID, code: str = "", **figures: int) -> None:
    """Add to a user's figures of today; call inside the transaction of what happened.

    A new row each time: adding to a shared one would make everything that happens wait for each other.
    """
    UsageDay.objects.create(day=timezone.localdate(), user_id=user_id, code=code[:64], **figures)


@transaction.atomic
def merge() -> int:
    """Put the newest rows together with those of the same day, user and code; returns how many."""
    fresh = UsageDay.objects.filter(merged=False).order_by("id")
    if connection.features.has_select_for_update_skip_locked:
        fresh = fresh.select_for_update(skip_locked=True)
    rows = list(fresh[:MERGED_AT_ONCE])
    if not rows:
        return 0
    keys = {_key(row) for row in rows}
    earlier = UsageDay.objects.select_for_update().filter(
        merged=True, day__in={row.day for row in rows}, user__in={row.user_id for row in rows}
    )
    together = [*rows, *(row for row in earlier if _key(row) in keys)]
    sums: dict[tuple[date, UUID, str], UsageDay] = {}
    for row in together:
        day, user_id, code = _key(row)
        total = sums.setdefault(
            (day, user_id, code), UsageDay(day=day, user_id=user_id, code=code, merged=True)
        )
        for name in FIGURES:
            setattr(total, name, getattr(total, name) + getattr(row, name))
    UsageDay.objects.filter(pk__in=[row.pk for row in together]).delete()
    UsageDay.objects.bulk_create(sums.values())
    return len(rows)


def lock() -> None:
    """Let whatever happens from now on wait with its record until the transaction ends.

    What was recorded before has committed by then, so that sums computed after this call miss nothing.
    """
    if connection.vendor == "postgresql":  # on SQLite the transaction itself keeps other writers out
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE usage_days IN EXCLUSIVE MODE")


def replace_all(rows: "Sums") -> None:
    """Put other figures in place of all there are; call after `lock`, in one transaction."""
    UsageDay.objects.all().delete()
    UsageDay.objects.bulk_create(rows.as_rows(), batch_size=2000)


class Sums:
    """Figures being added up by day, user and code."""

    def __init__(self) -> None:
        self._figures: defaultdict[tuple[date, UUID, str], dict[str, int]] = defaultdict(
            lambda: dict.fromkeys(FIGURES, 0)
        )

    def add(self, day: date, user_id: UUID, name: str, count: int, *, code: str = "") -> None:
        self._figures[day, user_id, code][name] += count

    def as_rows(self) -> list[UsageDay]:
        return [
            UsageDay(day=day, user_id=user_id, code=code, merged=True, **figures)
            for (day, user_id, code), figures in self._figures.items()
        ]


def _key(row: UsageDay) -> tuple[date, UUID, str]:
    return row.day, row.user_id, row.code
