"""Reading the ledger."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import CreditEntry

DISORDER = timedelta(days=1)
"""More than the clocks of two machines, or the length of a transaction, can set two entries apart."""


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


def made_between(
    entries: "QuerySet[CreditEntry]", start: datetime | None, end: datetime | None
) -> "QuerySet[CreditEntry]":
    """The entries of a span of time, whose end is not part of it.

    The ledger is read in the order of its numbers, which is that of time but for `DISORDER`: the numbers
    at both ends are looked up first, so that reading begins and ends there and not at the ledger's ends.
    """
    if start:
        first = _number("created_at", created_at__gte=start - DISORDER)
        entries = entries.filter(created_at__gte=start, number__gte=first) if first else entries.none()
    if end:
        last = _number("-created_at", created_at__lt=end + DISORDER)
        entries = entries.filter(created_at__lt=end, number__lte=last) if last else entries.none()
    return entries


def start_of_day(day: date) -> datetime:
    """Midnight of `day` in the platform's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _number(order: str, **span: datetime) -> int | None:
    """The number of the first entry of a span, in order of time."""
    return CreditEntry.objects.filter(**span).order_by(order).values_list("number", flat=True).first()
