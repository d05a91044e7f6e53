"""The only code that changes an item's status.

An item goes pending → processing → completed, failed or cancelled; a retry sends it back to pending as
a new paid run. Each change is a compare-and-set under the lock of its batch, and credits that belong to
it move in the same transaction. Lock order, everywhere: user row, batch row, item rows.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.utils import timezone

from accounts.services import credits as ledger
from accounts.services.credits import Run
from videos.models import Batch, BatchStatus, ItemStatus, VideoItem

CREDITS_PER_IMAGE = 1

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


@dataclass(frozen=True)
class Claim:
    """A worker's right to finish one attempt at one item. Stale as soon as the attempt moves on."""

    item_id: UUID
    batch_id: UUID
    user_id: UUID
    run: int
    attempt: int
    tries: int


@dataclass(frozen=True)
class Verdict:
    """Why an item failed: a stable code, a sentence for people, and whether trying again may help."""

    code: str
    message: str
    retryable: bool = False


@dataclass(frozen=True)
class StoredResult:
    """A finished video, already in storage."""

    video: str
    poster: str
    duration_s: float
    notes: tuple[str, ...] = ()


# --- Worker's side ---------------------------------------------------------------------------------


@transaction.atomic
def begin(item: VideoItem, *, worker: str) -> Claim | None:
    """Claim a pending item, or return None when somebody was faster."""
    batch = lock_batch(item.batch_id)
    now = timezone.now()
    won = batch is not None and _move(
        VideoItem.objects.filter(pk=item.pk, attempt=item.attempt),
        (ItemStatus.PENDING,),
        ItemStatus.PROCESSING,
        attempt=F("attempt") + 1,
        tries=F("tries") + 1,
        worker=worker[:100],
        lease_until=_lease(now),
        started_at=now,
        progress=0,
    )
    if not won or batch is None:
        return None
    _refresh_status(batch)
    return Claim(
        item_id=item.pk,
        batch_id=batch.pk,
        user_id=batch.user_id,
        run=item.run,
        attempt=item.attempt + 1,
        tries=item.tries + 1,
    )


def heartbeat(claim: Claim, *, progress: int) -> bool:
    """Renew the lease and show progress (percent); False when the claim is no longer good."""
    lease = _lease(timezone.now())
    return bool(_claimed(claim).update(lease_until=lease, progress=min(99, max(0, progress))))


@transaction.atomic
def complete(claim: Claim, result: StoredResult) -> bool:
    """Show the result; False when the claim is no longer good and the result must be thrown away."""
    batch = lock_batch(claim.batch_id)
    won = batch is not None and _move(
        _claimed(claim),
        (ItemStatus.PROCESSING,),
        ItemStatus.COMPLETED,
        video=result.video,
        poster=result.poster,
        duration_s=result.duration_s,
        notes=list(result.notes),
        progress=100,
        error_code="",
        error_msg="",
        **_ended(),
    )
    if not won or batch is None:
        return False
    _refresh_status(batch)
    return True


@transaction.atomic
def fail(claim: Claim, verdict: Verdict) -> bool:
    """Fail the attempt: wait for another try if that may help, else fail the item and refund its run.

    False when the claim is no longer good; then nothing changes.
    """
    if verdict.retryable and claim.tries < settings.RENDER_MAX_TRIES:
        return _back_to_pending(claim, tries=claim.tries, verdict=verdict)
    ledger.lock_user(claim.user_id)
    batch = lock_batch(claim.batch_id)
    won = batch is not None and _move(
        _claimed(claim),
        (ItemStatus.PROCESSING,),
        ItemStatus.FAILED,
        error_code=verdict.code[:64],
        error_msg=verdict.message[:2000],
        **_ended(),
    )
    if not won or batch is None:
        return False
    _refund(batch, [Run(batch.pk, claim.item_id, claim.run)], note=verdict.code)
    _refresh_status(batch)
    return True


@transaction.atomic
def release(claim: Claim) -> bool:
    """Give the item back untouched, because the worker stops; that does not count as a try."""
    return _back_to_pending(claim, tries=claim.tries - 1, verdict=None)


def expire_leases() -> int:
    """Take back items whose workers went silent; returns how many.

    An item out of tries fails (and is refunded), because something about it seems to kill workers.
    """
    lost = VideoItem.objects.filter(status=ItemStatus.PROCESSING, lease_until__lt=timezone.now())
    return _reclaim(lost)


def reclaim_all() -> int:
    """Take back every running item: for a start at which no other worker can exist."""
    return _reclaim(VideoItem.objects.filter(status=ItemStatus.PROCESSING))


def _reclaim(lost: "QuerySet[VideoItem]") -> int:
    verdict = Verdict("worker_lost", "The worker stopped while it rendered this video.", retryable=True)
    claims = [_claim_of(item) for item in lost.select_related("batch")]
    return sum(fail(claim, verdict) for claim in claims)


# --- User's side -----------------------------------------------------------------------------------


@transaction.atomic
def cancel_items(*, batch_id: UUID, user_id: UUID, item_ids: Iterable[UUID] | None = None) -> int:
    """Cancel and refund what waits or runs, of all items or of some; returns how many.

    A running render notices at its next heartbeat and is killed.
    """
    ledger.lock_user(user_id)
    batch = lock_batch(batch_id)
    if batch is None:
        return 0
    items = _chosen(batch, item_ids, WAITING_OR_RUNNING)
    if not items:
        return 0
    _move(_rows(items), WAITING_OR_RUNNING, ItemStatus.CANCELLED, **_ended())
    _refund(batch, [_run_of(item) for item in items], note="cancelled")
    _refresh_status(batch)
    return len(items)


@transaction.atomic
def rerun_items(
    *,
    batch_id: UUID,
    user_id: UUID,
    statuses: Collection[ItemStatus] = RETRYABLE,
    item_ids: Iterable[UUID] | None = None,
    replacement: Mapping[str, Any] | None = None,
) -> int:
    """Charge failed or cancelled items again and let them wait for a new run; returns how many.

    `replacement` gives new values for the fields of the source image.

    Raises:
        InsufficientCreditsError: nothing was charged or changed.
    """
    ledger.lock_user(user_id)
    batch = lock_batch(batch_id)
    if batch is None:
        return 0
    items = _chosen(batch, item_ids, statuses)
    if not items:
        return 0
    runs = [Run(batch.pk, item.pk, item.run + 1) for item in items]
    ledger.charge_runs(user_id=user_id, runs=runs, credits_each=CREDITS_PER_IMAGE, note=batch.name)
    now = timezone.now()
    _move(
        _rows(items),
        RETRYABLE,
        ItemStatus.PENDING,
        run=F("run") + 1,
        tries=0,
        progress=0,
        error_code="",
        error_msg="",
        queued_at=now,
        not_before=now,
        started_at=None,
        finished_at=None,
        **(replacement or {}),
    )
    _refresh_status(batch)
    return len(items)


# --- Shared ----------------------------------------------------------------------------------------


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


def _move(
    items: "QuerySet[VideoItem]", sources: Collection[ItemStatus], target: ItemStatus, **changes: Any
) -> int:
    """The compare-and-set behind every transition; returns how many rows it moved."""
    forbidden = [source for source in sources if target not in ALLOWED[source]]
    if forbidden:
        raise ValueError(f"{forbidden} → {target} is not an allowed transition")
    return items.filter(status__in=sources).update(status=target, **changes)


def _back_to_pending(claim: Claim, *, tries: int, verdict: Verdict | None) -> bool:
    batch = lock_batch(claim.batch_id)
    # Exponential, so that an engine that is down is not hammered.
    delay_s = settings.RENDER_RETRY_DELAY_S * 2 ** max(0, tries - 1) if verdict else 0
    won = batch is not None and _move(
        _claimed(claim),
        (ItemStatus.PROCESSING,),
        ItemStatus.PENDING,
        tries=tries,
        not_before=timezone.now() + timedelta(seconds=delay_s),
        lease_until=None,
        worker="",
        progress=0,
        started_at=None,
    )
    if not won or batch is None:
        return False
    _refresh_status(batch)
    return True


def _claimed(claim: Claim) -> "QuerySet[VideoItem]":
    """The item, if the claim is still good: the fence against late workers."""
    return VideoItem.objects.filter(pk=claim.item_id, status=ItemStatus.PROCESSING, attempt=claim.attempt)


def _chosen(
    batch: Batch, item_ids: Iterable[UUID] | None, statuses: Collection[ItemStatus]
) -> list[VideoItem]:
    items = batch.items.filter(status__in=statuses).order_by("position")
    return list(items if item_ids is None else items.filter(pk__in=list(item_ids)))


def _rows(items: Iterable[VideoItem]) -> "QuerySet[VideoItem]":
    return VideoItem.objects.filter(pk__in=[item.pk for item in items])


def _run_of(item: VideoItem) -> Run:
    return Run(item.batch_id, item.pk, item.run)


def _claim_of(item: VideoItem) -> Claim:
    return Claim(item.pk, item.batch_id, item.batch.user_id, item.run, item.attempt, item.tries)


def _refund(batch: Batch, runs: list[Run], *, note: str) -> None:
    ledger.refund_runs(user_id=batch.user_id, runs=runs, credits_each=CREDITS_PER_IMAGE, note=note)


def _refresh_status(batch: Batch) -> None:
    counts = dict(batch.items.order_by().values_list("status").annotate(n=Count("pk")))
    status = status_of(counts)
    if status != batch.status:
        Batch.objects.filter(pk=batch.pk).update(status=status)


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_S)


def _ended() -> dict[str, Any]:
    return {"finished_at": timezone.now(), "lease_until": None, "worker": ""}
