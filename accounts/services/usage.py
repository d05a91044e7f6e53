"""Usage by day: recorded with each event, merged now and then, summed when somebody asks."""

from collections import defaultdict
from datetime import date
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from accounts.models import UsageDay
from zhiying.kernel.clock import database_now

FIGURES = ("batches", "videos", "failed", "charged", "refunded")
MERGED_AT_ONCE = 5000
"""Rows that one call of `merge` takes away, so that its transaction stays short."""


def record(*, user_id: UUID, code: str = "", **figures: int) -> None:
    """Add to a user's figures of today; call inside the transaction of what happened.

    A new row each time: adding to a shared one would make everything that happens wait for each other.
    """
    UsageDay.objects.create(day=TruncDate(database_now()), user_id=user_id, code=code[:64], **figures)


@transaction.atomic
def merge() -> int:
    """Put the newest rows together with those of the same day, user and code; returns how many."""
    fresh = UsageDay.objects.filter(merged=False).order_by("id")
    if connection.features.has_select_for_update_skip_locked:
        fresh = fresh.select_for_update(skip_locked=True)
    rows = list(fresh[:MERGED_AT_ONCE])
    sums = Sums()
    for row in rows:
        for name in FIGURES:
            sums.add(row.day, row.user_id, name, getattr(row, name), code=row.code)
    earlier = UsageDay.objects.select_for_update().filter(
        Q(user__in={row.user_id for row in rows}) | Q(user=None), merged=True, day__in=sums.days()
    )
    replaced = [row.pk for row in rows]
    for row in earlier:
        if sums.extend(row):
            replaced.append(row.pk)
    UsageDay.objects.filter(pk__in=replaced).delete()
    UsageDay.objects.bulk_create(sums.as_rows())
    return len(rows)


def by_day(first: date) -> dict[date, dict[str, int]]:
    """Figures of all users together, for each day since `first` on which something happened."""
    found = of_all(first).values_list("day").annotate(*(Sum(name) for name in FIGURES))
    return {day: dict(zip(FIGURES, sums, strict=True)) for day, *sums in found}


def of_all(first: date) -> "QuerySet[UsageDay]":
    """Few rows that add up to everything since a day: those of all users, and what is not merged yet."""
    return UsageDay.objects.filter(Q(user=None) | Q(merged=False), day__gte=first).order_by()


def of_users(first: date) -> "QuerySet[UsageDay]":
    """Rows that add up to everything each user did since a day."""
    return UsageDay.objects.filter(day__gte=first).exclude(user=None).order_by()


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


Key = tuple[date, UUID | None, str]


class Sums:
    """Figures being added up by day, user and code, and by day and code for all users."""

    def __init__(self) -> None:
        self._figures: defaultdict[Key, dict[str, int]] = defaultdict(lambda: dict.fromkeys(FIGURES, 0))

    def add(self, day: date, user_id: UUID | None, name: str, count: int, *, code: str = "") -> None:
        """Add what a user did."""
        self._figures[day, user_id, code][name] += count
        self._figures[day, None, code][name] += count

    def extend(self, row: UsageDay) -> bool:
        """Add a sum made earlier, if it is of the same day, user and code as something here."""
        key = (row.day, row.user_id, row.code)
        if key not in self._figures:
            return False
        for name in FIGURES:
            self._figures[key][name] += getattr(row, name)
        return True

    def days(self) -> set[date]:
        return {day for day, _, _ in self._figures}

    def as_rows(self) -> list[UsageDay]:
        return [
            UsageDay(day=day, user_id=user_id, code=code, merged=True, **figures)
            for (day, user_id, code), figures in self._figures.items()
        ]
