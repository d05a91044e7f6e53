"""The table of an item's states, and the compare-and-set behind every change of one.

An item goes pending → processing → completed, failed or cancelled; a retry sends it back to pending as
a new paid run. Each change is a compare-and-set under the lock of its batch; the counters of the batch
and of the lane, and credits that belong to it, move in the same transaction. Lock order, everywhere:
user row, batch row, item rows, lane row. A claim (`videos.services.taking`) never waits for any of them.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from accounts.services import credits as ledger
from accounts.services.credits import Run
from videos.models import FINAL_STATUSES, Batch, BatchStatus, ItemStatus, QueueLane, VideoItem
from videos.services import lanes
from zhiying.kernel.clock import database_now

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

Items = Mapping[UUID, int | None]
"""Items by id, with the lane that counts them."""


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


def enqueue(batch: Batch, items: Collection[VideoItem]) -> None:
    """Let the items of a batch that is about to be inserted wait in their owner's lane."""
    lane = lanes.lane_of(batch.user_id, engine=batch.engine)
    for item in items:
        item.lane = lane
    batch.pending_count = len(items)
    lanes.count(lane.pk, ItemStatus.PENDING, len(items))


def move(
    batch: Batch,
    items: Items,
    source: ItemStatus,
    target: ItemStatus,
    *,
    fence: Q | None = None,
    lane_id: int | None = None,
    batch_changes: Mapping[str, Any] | None = None,
    **changes: Any,
) -> bool:
    """The compare-and-set behind every transition: all of `items` go from `source` to `target`, or none.

    `batch` is locked by the caller. `fence` is a further condition; with `lane_id` the items go on in
    that lane; `batch_changes` are written with the counts of the batch. False when the items were not in
    `source`, or the fence kept them.
    """
    if target not in ALLOWED[source]:
        raise ValueError(f"{source} → {target} is not an allowed transition")
    if lane_id is not None:
        changes["lane_id"] = lane_id
    rows = VideoItem.objects.filter(fence or Q(), pk__in=list(items), status=source)
    moved = rows.update(status=target, **changes)
    if not moved:
        return False
    if moved != len(items):
        raise RuntimeError(f"{moved} of {len(items)} items of batch {batch.pk} went {source} → {target}")
    _count(batch, source, target, moved, batch_changes or {})
    for old_lane, number in Counter(items.values()).items():
        lanes.count(old_lane, source, -number)
        lanes.count(lane_id or old_lane, target, number)
    return True


def change_lane(batch: Batch, lane: QueueLane) -> int:
    """Let everything that waits of a locked batch wait in this lane; returns how many items that moved."""
    waiting = batch.items.filter(status=ItemStatus.PENDING).exclude(lane=lane)
    items = dict(waiting.values_list("pk", "lane_id"))
    if not items:
        return 0
    VideoItem.objects.filter(pk__in=list(items), status=ItemStatus.PENDING).update(lane=lane)
    for old_lane, number in Counter(items.values()).items():
        lanes.count(old_lane, ItemStatus.PENDING, -number)
        lanes.count(lane.pk, ItemStatus.PENDING, number)
    raise_version(batch.pk)
    return len(items)


def remove(batch: Batch, item_id: UUID, status: ItemStatus) -> bool:
    """Take a final item out of its batch and its counts. The batch is locked; not its last item.

    What a completed video cost stays what the batch cost. False when it was not in `status`.
    """
    if status not in FINAL_STATUSES:
        raise ValueError(f"an item that is {status} is not removed")
    if not VideoItem.objects.filter(pk=item_id, batch_id=batch.pk, status=status).delete()[0]:
        return False
    batch.image_count -= 1
    name = f"{status}_count"
    setattr(batch, name, getattr(batch, name) - 1)
    batch.status = status_of(batch.counts)
    Batch.objects.filter(pk=batch.pk).update(
        status=batch.status,
        version=F("version") + 1,
        image_count=batch.image_count,
        **{name: getattr(batch, name)},
    )
    return True


def raise_version(batch_id: UUID) -> None:
    """Something that clients see of the batch has changed."""
    Batch.objects.filter(pk=batch_id).update(version=F("version") + 1)


def charge(batch: Batch, runs: Collection[Run], *, note: str) -> int:
    """Charge runs of a batch that is locked, or about to be inserted; returns the balance left."""
    left = ledger.charge_runs(user_id=batch.user_id, runs=list(runs), note=note)
    _use_credits(batch, sum(run.price for run in runs))
    return left


def refund(batch: Batch, runs: Collection[Run], *, note: str) -> None:
    """Give back what runs of a locked batch were charged."""
    ledger.refund_runs(user_id=batch.user_id, runs=list(runs), note=note)
    _use_credits(batch, -sum(run.price for run in runs))


def _use_credits(batch: Batch, credits_more: int) -> None:
    """The batch is locked, so its row is as it was read; one that is about to be inserted is written then.

    Not below zero: processes of a release before this figure made batches without it.
    """
    batch.credits_used = max(0, batch.credits_used + credits_more)
    if not batch._state.adding:
        Batch.objects.filter(pk=batch.pk).update(credits_used=batch.credits_used)


def ended() -> dict[str, Any]:
    return {"finished_at": database_now(), "lease_until": None, "worker": ""}


def _count(
    batch: Batch, source: ItemStatus, target: ItemStatus, number: int, further: Mapping[str, Any]
) -> None:
    """The batch is locked, so its row is as it was read."""
    for status, change in ((source, -number), (target, number)):
        name = f"{status}_count"
        setattr(batch, name, getattr(batch, name) + change)
    batch.status = status_of(batch.counts)
    Batch.objects.filter(pk=batch.pk).update(
        status=batch.status,
        version=F("version") + 1,
        **{f"{status}_count": getattr(batch, f"{status}_count") for status in (source, target)},
        **further,
    )
