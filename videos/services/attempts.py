"""A worker's side of an item's life: one attempt, from its claim to its verdict."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.services import credits as ledger
from accounts.services import usage
from accounts.services.credits import Run
from engines.base import Note
from engines.sentences import Param
from videos.catalogue import failure_in_english
from videos.models import ItemStatus, VideoItem
from videos.services.transitions import ended, lock_batch, move, raise_version, refresh_status, refund


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
    """Why an item failed: a stable code with its values, and whether trying again may help.

    `message` is told of codes that the catalogue does not know.
    """

    code: str
    message: str = ""
    retryable: bool = False
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredResult:
    """A finished video, already in storage."""

    video: str
    poster: str
    duration_s: float
    notes: tuple[Note, ...] = ()


@transaction.atomic
def begin(item: VideoItem, *, worker: str) -> Claim | None:
    """Claim a pending item, or return None when somebody was faster."""
    batch = lock_batch(item.batch_id)
    now = timezone.now()
    won = batch is not None and move(
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
    refresh_status(batch)
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
    lease, shown = _lease(timezone.now()), min(99, max(0, progress))
    if _claimed(claim).exclude(progress=shown).update(lease_until=lease, progress=shown):
        raise_version(claim.batch_id)
        return True
    return bool(_claimed(claim).update(lease_until=lease))


@transaction.atomic
def complete(claim: Claim, result: StoredResult) -> bool:
    """Show the result; False when the claim is no longer good and the result must be thrown away."""
    batch = lock_batch(claim.batch_id)
    won = batch is not None and move(
        _claimed(claim),
        (ItemStatus.PROCESSING,),
        ItemStatus.COMPLETED,
        video=result.video,
        poster=result.poster,
        duration_s=result.duration_s,
        notes=[asdict(note) for note in result.notes],
        progress=100,
        error_code="",
        error_msg="",
        error_params={},
        error_final=False,
        **ended(),
    )
    if not won or batch is None:
        return False
    usage.record(user_id=batch.user_id, videos=1)
    refresh_status(batch)
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
    won = batch is not None and move(
        _claimed(claim),
        (ItemStatus.PROCESSING,),
        ItemStatus.FAILED,
        error_code=verdict.code[:64],
        error_msg=failure_in_english(verdict.code, verdict.params, verdict.message)[:2000],
        error_params=dict(verdict.params),
        error_final=not verdict.retryable,
        **ended(),
    )
    if not won or batch is None:
        return False
    refund(batch, [Run(batch.pk, claim.item_id, claim.run)], note=verdict.code)
    usage.record(user_id=batch.user_id, failed=1, code=verdict.code)
    refresh_status(batch)
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
    verdict = Verdict("worker_lost", retryable=True)
    claims = [_claim_of(item) for item in lost.select_related("batch")]
    return sum(fail(claim, verdict) for claim in claims)


def _back_to_pending(claim: Claim, *, tries: int, verdict: Verdict | None) -> bool:
    batch = lock_batch(claim.batch_id)
    # Exponential, so that an engine that is down is not hammered.
    delay_s = settings.RENDER_RETRY_DELAY_S * 2 ** max(0, tries - 1) if verdict else 0
    won = batch is not None and move(
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
    refresh_status(batch)
    return True


def _claimed(claim: Claim) -> "QuerySet[VideoItem]":
    """The item, if the claim is still good: the fence against late workers."""
    return VideoItem.objects.filter(pk=claim.item_id, status=ItemStatus.PROCESSING, attempt=claim.attempt)


def _claim_of(item: VideoItem) -> Claim:
    return Claim(item.pk, item.batch_id, item.batch.user_id, item.run, item.attempt, item.tries)


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_S)
