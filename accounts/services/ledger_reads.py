"""Reading the ledger."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import CreditEntry
from zhiying.kernel.windows import made_between


def entries_of(user_id: UUID, filters: dict[str, Any]) -> "QuerySet[CreditEntry]":
    """A user's entries, filtered by `kind`, `date_from` and `date_to` (local days)."""
    entries = CreditEntry.objects.filter(user_id=user_id)
    if kind := filters.get("kind"):
        entries = entries.filter(kind=kind)
    first, last = filters.get("date_from"), filters.get("date_to")
    return made_between(
        entries,
        start_of_day(first) if first else None,
        start_of_day(last + timedelta(days=1)) if last else None,
    )


def start_of_day(day: date) -> datetime:
    """Midnight of `day` in the platform's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
