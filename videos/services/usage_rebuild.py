"""Usage by day computed again from the ledger and the items: for when the kept sums are in doubt."""

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import CreditEntry, EntryKind
from accounts.services.usage import Sums
from videos.models import ItemStatus, VideoItem

CANCELLED = "cancelled"
"""The note of a refund whose run was cancelled; that of a failed run is the error code."""

_OF_KIND = {kind: Count("pk", filter=Q(kind=kind)) for kind in (EntryKind.CHARGE, EntryKind.REFUND)}


def sums_of_the_past() -> Sums:
    """All figures there can be. A video whose batch was deleted counts on the day it was paid for."""
    sums = Sums()
    entries = CreditEntry.objects.filter(kind__in=_OF_KIND).order_by()
    by_day = entries.annotate(day=TruncDate("created_at"))
    for day, user_id, kind, amount in by_day.values_list("day", "user_id", "kind").annotate(n=Sum("amount")):
        sums.add(day, user_id, "charged" if kind == EntryKind.CHARGE else "refunded", abs(amount))
    failures = by_day.filter(kind=EntryKind.REFUND).exclude(note=CANCELLED)
    for day, user_id, code, count in failures.values_list("day", "user_id", "note").annotate(n=Count("pk")):
        sums.add(day, user_id, "failed", count, code=code[:64])
    charges = entries.filter(kind=EntryKind.CHARGE).exclude(batch_id=None)
    for row in charges.values("batch_id", "user_id").annotate(at=Min("created_at")).iterator():
        sums.add(timezone.localdate(row["at"]), row["user_id"], "batches", 1)
    _add_videos(sums)
    return sums


def _add_videos(sums: Sums) -> None:
    made = VideoItem.objects.filter(status=ItemStatus.COMPLETED).order_by()
    days = made.annotate(day=TruncDate("finished_at")).values_list("day", "batch__user_id")
    for day, user_id, count in days.annotate(n=Count("pk")):
        sums.add(day, user_id, "videos", count)
    # what was charged and not refunded, and is no row any more, had been finished before it was deleted
    kept = VideoItem.objects.filter(pk=OuterRef("item_id"))
    deleted = (
        CreditEntry.objects.exclude(item_id=None)
        .filter(~Exists(kept))
        .order_by()
        .values("item_id", "user_id")
        .annotate(
            at=Max("created_at", filter=Q(kind=EntryKind.CHARGE)),
            charges=_OF_KIND[EntryKind.CHARGE],
            refunds=_OF_KIND[EntryKind.REFUND],
        )
        .filter(charges__gt=F("refunds"))
    )
    for row in deleted.iterator():
        sums.add(timezone.localdate(row["at"]), row["user_id"], "videos", 1)
