"""The table of an item's states, and the compare-and-set behind every change of one.

An item goes pending → processing → completed, failed or cancelled; a retry sends it back to pending as
a new paid run. Each change is a compare-and-set under the lock of its batch, and credits that belong to
it move in the same transaction. Lock order, everywhere: user row, batch row, item rows.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count, F, QuerySet
from django.utils import timezone

from accounts.services import credits as ledger
from accounts.services.credits import Run
from videos.models import Batch, BatchStatus, ItemStatus, VideoItem
from videos.pricing import CREDITS_PER_IMAGE

ALLOWED: Mapping[ItemStatus, Collection[ItemStatus]] = {
    ItemStatus.PENDING: {ItemStatus.PROCESSING, ItemStatus.CANCELLED},
    ItemStatus.PROCESSING: {
        ItemStatus.COMPLETED,
        ItemStatus.FAILED,
        ItemStatus.CANCELLED,
        ItemStatus.PENDING,  # the worker died, stopped, or could not reach its engine
    },
    ItemStatus.COMPLETED: set(),
    ItemStatus.FAILED: {ItemStatus.PENDING},
    ItemStatus.CANCELLED: {ItemStatus.PENDING},
}

WAITING_OR_RUNNING = (ItemStatus.PENDING, ItemStatus.PROCESSING)
RETRYABLE = (ItemStatus.FAILED, ItemStatus.CANCELLED)


def lock_batch(batch_id: UUID) -> Batch | None:
    """Lock a batch until the transaction ends. Every change of its items holds this lock."""
    return Batch.objects.select_for_update(no_key=True).filter(pk=batch_id).first()


def status_of(counts: Mapping[str, int]) -> BatchStatus:
    """What item counts by status add up to."""
    present = {ItemStatus(status) for status, count in counts.items() if count}
    if ItemStatus.PROCESSING in present:
        return BatchStatus.PROCESSING
    if ItemStatus.PENDING in present:
        return BatchStatus.PENDING if present == {ItemStatus.PENDING} else BatchStatus.PROCESSING
    if len(present) == 1:
        return BatchStatus(present.pop().value)
    return BatchStatus.PARTIAL if ItemStatus.COMPLETED in present else BatchStatus.FAILED


def move(
    items: "QuerySet[VideoItem]", sources: Collection[ItemStatus], target: ItemStatus, **changes: Any
) -> int:
    """The compare-and-set behind every transition; returns how many rows it moved."""
    forbidden = [source for source in sources if target not in ALLOWED[source]]
    if forbidden:
        raise ValueError(f"{forbidden} → {target} is not an allowed transition")
    return items.filter(status__in=sources).update(status=target, **changes)


def refund(batch: Batch, runs: list[Run], *, note: str) -> None:
    ledger.refund_runs(user_id=batch.user_id, runs=runs, credits_each=CREDITS_PER_IMAGE, note=note)


def refresh_status(batch: Batch) -> None:
    """Count a locked batch's items again, derive its status, and raise its version."""
    counts = dict(batch.items.order_by().values_list("status").annotate(n=Count("pk")))
    Batch.objects.filter(pk=batch.pk).update(
        status=status_of(counts),
        version=F("version") + 1,
        **{f"{status}_count": counts.get(status, 0) for status in ItemStatus.values},
    )


def touch(batch_id: UUID) -> None:
    """Something that clients see of the batch has changed."""
    Batch.objects.filter(pk=batch_id).update(version=F("version") + 1)


def ended() -> dict[str, Any]:
    return {"finished_at": timezone.now(), "lease_until": None, "worker": ""}
