"""A worker's side of an item's life: one attempt, from its claim to its verdict."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from accounts.services import credits as ledger
from accounts.services import usage
from accounts.services.credits import Run
from engines.base import Note
from engines.sentences import Param
from videos import counters
from videos.catalogue import failure_in_english
from videos.counters import Outcome
from videos.engine_names import name_of
from videos.models import Batch, ItemStatus, QueueLane, RemoteJob, VideoItem
from videos.services import lanes, stored_bytes
from videos.services.letters import tell_of_end
from videos.services.transitions import ended, lock_batch, move, refund
from videos.store import deletions
from videos.store.deletions import Intent
from zhiying.kernel.clock import database_now
from zhiying.kernel.locks import try_briefly

RECLAIMED_AT_ONCE = 500
RECLAIM_PATIENCE_S = 0.5
NO_REASON = "engine_error"
"""The code of a failure whose engine gives none: a failed item has one."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """A worker's right to finish one attempt at one item. Stale as soon as the attempt moves on."""

    item_id: UUID
    batch_id: UUID
    user_id: UUID
    lane_id: int | None
    engine: str
    """Empty for the installation's own choice."""
    run: int
    attempt: int
    tries: int


@dataclass(frozen=True)
class Taken:
    """What a look at the queue found: a claim, or else the lane whose items were all locked by others."""

    claim: Claim | None
    lane_id: int | None


@dataclass(frozen=True)
class Sources:
    """What an item is made of: keys of stored files, and what the batch asks for."""

    portrait: str
    audio: str
    prompt: str
    audio_s: float
    waited_s: float
    """From when it might begin until it was claimed."""
    trace: str
    """The span of the request that let it wait."""


@dataclass(frozen=True)
class Verdict:
    """Why an item failed: a stable code with its values, and whether trying again may help.

    `message` is told of codes that the catalogue does not know.
    """

    code: str
    message: str = ""
    retryable: bool = False
    params: Mapping[str, Param] = field(default_factory=dict)
    tries_again: bool = True
    """False: it ends now, although the same input may succeed when somebody asks for it."""
    pauses: bool = True
    """Whether the next try waits a while, because what failed may fail for a while."""


@dataclass(frozen=True)
class StoredResult:
    """A finished video, already in storage."""

    video: str
    poster: str
    duration_s: float
    video_bytes: int = 0
    poster_bytes: int = 0
    width: int | None = None
    """Pixels; None where the engine does not tell."""
    height: int | None = None
    notes: tuple[Note, ...] = ()
    made_by: str = ""
    """The engine; empty: that of the claim's lane."""


def sources_of(claim: Claim) -> Sources | None:
    """What to render; None if the item was deleted or taken back since the claim."""
    items = VideoItem.objects.filter(
        pk=claim.item_id, attempt=claim.attempt, status=ItemStatus.PROCESSING
    ).values_list(
        "source_image",
        "batch__audio",
        "batch__prompt",
        "batch__audio_duration_s",
        "started_at",
        "not_before",
        "trace",
    )
    if (row := items.first()) is None:
        return None
    portrait, audio, prompt, audio_s, started_at, not_before, trace = row
    waited = started_at - not_before if started_at else timedelta()
    return Sources(portrait, audio, prompt, audio_s, max(0.0, waited.total_seconds()), trace)


def is_shown(claim: Claim, video: str) -> bool:
    """Whether the item shows this very video."""
    return VideoItem.objects.filter(pk=claim.item_id, status=ItemStatus.COMPLETED, video=video).exists()


def complete(claim: Claim, result: StoredResult, intent: Intent | None = None) -> bool:
    """Show the result; False when the claim is no longer good and the result must be thrown away.

    `intent` is what the result's files stand under in the list of deletions.
    """
    try:
        return _complete(claim, result, intent)
    except deletions.FilesGoneError:
        logger.error("Item %s: its result was stored too long ago", claim.item_id)
        return False


@transaction.atomic
def _complete(claim: Claim, result: StoredResult, intent: Intent | None) -> bool:
    size = result.video_bytes + result.poster_bytes
    batch = _finish(
        claim,
        ItemStatus.COMPLETED,
        batch_changes={"stored_bytes": F("stored_bytes") + size},
        video=result.video,
        poster=result.poster,
        video_bytes=size or None,
        duration_s=result.duration_s,
        video_width=result.width,
        video_height=result.height,
        made_by=result.made_by or name_of(claim.engine),
        notes=[asdict(note) for note in result.notes],
        progress=100,
        error_code="",
        error_msg="",
        error_params={},
        error_final=False,
        **ended(),
    )
    if batch is None:
        return False
    usage.record(user_id=batch.user_id, videos=1)
    stored_bytes.add(batch.user_id, None, size)
    if intent:
        deletions.take(intent)
    tell_of_end(batch)
    counters.attempt_ended(claim.engine, Outcome.COMPLETED)
    return True


@transaction.atomic
def fail(claim: Claim, verdict: Verdict, *, still: Q | None = None) -> bool:
    """Fail the attempt: wait for another try if that may help, else fail the item and refund its run.

    False when the claim is no longer good, or the item is not as `still` says; then nothing changes.
    """
    if verdict.retryable and verdict.tries_again and claim.tries < settings.RENDER_MAX_TRIES:
        # Exponential, so that what fails for a while is not tried too often meanwhile.
        pause_s = settings.RENDER_RETRY_DELAY_S * 2 ** max(0, claim.tries - 1)
        delay_s = pause_s if verdict.pauses else 0
        return _give_back(claim, Outcome.TRIED_AGAIN, tries=claim.tries, delay_s=delay_s, still=still)
    ledger.lock_user(claim.user_id)
    code = verdict.code[:64] or NO_REASON
    batch = _finish(
        claim,
        ItemStatus.FAILED,
        still=still,
        error_code=code,
        error_msg=failure_in_english(code, verdict.params, verdict.message)[:2000],
        error_params=dict(verdict.params),
        error_final=not verdict.retryable,
        **ended(),
    )
    if batch is None:
        return False
    price = VideoItem.objects.values_list("price", flat=True).get(pk=claim.item_id)
    refund(batch, [Run(batch.pk, claim.item_id, claim.run, price)], note=code)
    usage.record(user_id=batch.user_id, failed=1, code=code)
    tell_of_end(batch)
    counters.attempt_ended(claim.engine, Outcome.FAILED)
    return True


@transaction.atomic
def release(claim: Claim) -> bool:
    """Give the item back untouched, because the worker stops or cannot go on for a reason that is not
    the item's; that does not count as a try."""
    return _give_back(claim, Outcome.GIVEN_BACK, tries=claim.tries - 1, delay_s=0)


def expire_leases(silent_since: datetime | None = None) -> int:
    """Take back items whose leases had run out by then, or have by now; returns how many.

    An item out of tries fails (and is refunded), because something about it seems to kill workers.
    """
    return _reclaim(Q(lease_until__lt=silent_since or database_now()))


def reclaim_all() -> int:
    """Take back every running item: for a start at which no other worker can exist. Jobs elsewhere go on."""
    return _reclaim(Q())


def _reclaim(lost: Q) -> int:
    """Each item in a transaction of its own, so that one that cannot be taken back stops no other.

    Whether it is `lost` is asked again there: a worker that was only slow may have renewed its lease.

    What is a job elsewhere is not lost: whoever adopts the job goes on. Items of a batch or of a user that
    somebody holds (a frozen process does so until the database ends its transaction) wait for the next sweep.
    """
    items = VideoItem.objects.filter(lost, status=ItemStatus.PROCESSING).exclude(_is_elsewhere())
    taken, held = 0, set[UUID]()
    for item in list(items.select_related("batch", "lane").order_by("lease_until")[:RECLAIMED_AT_ONCE]):
        ids = (item.batch.user_id, item.batch_id)
        if not held.isdisjoint(ids):
            continue
        taken += bool(
            try_briefly(
                partial(_take_back, item, lost),
                patience_s=RECLAIM_PATIENCE_S,
                what=f"Item {item.pk}",
                if_held=partial(held.update, ids),
            )
        )
    return taken


def _take_back(item: VideoItem, lost: Q) -> bool:
    # The first time it was the worker's fault, not the item's: nobody needs to wait.
    return fail(claim_of(item), Verdict("worker_lost", retryable=True, pauses=item.tries > 1), still=lost)


def _is_elsewhere() -> Exists:
    return Exists(RemoteJob.objects.filter(item_id=OuterRef("pk"), attempt=OuterRef("attempt")))


def claim_of(item: VideoItem) -> Claim:
    """The claim under which a running item is being rendered."""
    return Claim(
        item_id=item.pk,
        batch_id=item.batch_id,
        user_id=item.batch.user_id,
        lane_id=item.lane_id,
        engine=item.lane.engine if item.lane else "",
        run=item.run,
        attempt=item.attempt,
        tries=item.tries,
    )


def _finish(claim: Claim, target: ItemStatus, *, still: Q | None = None, **changes: Any) -> Batch | None:
    """Move a running item on while the claim is good and `still` holds; the batch, locked, or None."""
    batch = lock_batch(claim.batch_id)
    if batch is None:
        return None
    if target == ItemStatus.PENDING and batch.engine != claim.engine:  # it has fallen back meanwhile
        urgent = QueueLane.objects.filter(pk__in=[claim.lane_id], urgent=True).exists()
        changes["lane_id"] = lanes.lane_of(claim.user_id, engine=batch.engine, urgent=urgent).pk
    fence = Q(still or Q(), attempt=claim.attempt)  # against late workers
    items = {claim.item_id: claim.lane_id}
    return batch if move(batch, items, ItemStatus.PROCESSING, target, fence=fence, **changes) else None


def _give_back(claim: Claim, outcome: Outcome, *, tries: int, delay_s: float, still: Q | None = None) -> bool:
    batch = _finish(
        claim,
        ItemStatus.PENDING,
        still=still,
        tries=tries,
        not_before=database_now(timedelta(seconds=delay_s)),
        lease_until=None,
        worker="",
        progress=0,
        started_at=None,
        server_position=None,
        server_ready_at=None,
    )
    if batch is None:
        return False
    counters.attempt_ended(claim.engine, outcome)
    return True
