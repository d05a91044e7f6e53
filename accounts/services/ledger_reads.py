"""Reading the ledger."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import CreditEntry


def entries_of(user_id: UUID, filters: dict[str, Any]) -> "QuerySet[CreditEntry]":
    """A user's entries, newest first, filtered by `kind`, `date_from` and `date_to` (local days)."""
    entries = CreditEntry.objects.filter(user_id=user_id).order_by("-number")
    if kind := filters.get("kind"):
        entries = entries.filter(kind=kind)
    if start := filters.get("date_from"):
        entries = entries.filter(created_at__gte=start_of_day(start))
    if end := filters.get("date_to"):
        entries = entries.filter(created_at__lt=start_of_day(end + timedelta(days=1)))
    return entries


def start_of_day(day: date) -> datetime:
    """Midnight of `day` in the platform's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
