"""A user's side of an item's life: runs, which are paid for, cancelled and paid for again."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts.services import credits as ledger
from accounts.services.credits import Run
from videos.engine_names import name_of
from videos.models import Batch, ItemStatus, VideoItem
from videos.pricing import price_of_video
from videos.services import lanes, retention, routing
from videos.services.transitions import (
    RETRYABLE,
    WAITING_OR_RUNNING,
    Items,
    change_lane,
    charge,
    ended,
    lock_batch,
    move,
    refund,
)
from zhiying.kernel import tracing
from zhiying.kernel.clock import database_now


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
    for source, chosen in _by_status(items):
        move(batch, chosen, source, ItemStatus.CANCELLED, **ended())
    refund(batch, [_run_of(item) for item in items], note="cancelled")
    return len(items)


@transaction.atomic
def rerun_items(
    *,
    batch_id: UUID,
    user_id: UUID,
    statuses: Collection[ItemStatus] = RETRYABLE,
    item_ids: Iterable[UUID] | None = None,
    where_it_helps: bool = False,
    replacement: Mapping[str, Any] | None = None,
) -> int:
    """Charge failed or cancelled items again, at today's price, and queue them; returns how many.

    With `where_it_helps` only those whose failure was not final for the same files.

    `replacement` gives new values for the fields of the source image.

    Raises:
        InsufficientCreditsError, FilesRemovedError: nothing was charged or changed.
    """
    _, now = ledger.lock_user_at(user_id)
    batch = lock_batch(batch_id)
    if batch is None:
        return 0
    items = _chosen(batch, item_ids, statuses)
    if where_it_helps:
        items = [item for item in items if not item.error_final]
    if not items:
        return 0
    retention.put_off(batch, now)
    if not batch.pending_count and not batch.processing_count:
        routing.begin_anew(batch)
    price = price_of_video(batch.audio_duration_s, name_of(batch.engine))
    charge(batch, [Run(batch.pk, item.pk, item.run + 1, price) for item in items], note=batch.name)
    lane = lanes.lane_of(user_id, engine=batch.engine)
    for source, chosen in _by_status(items):
        move(
            batch,
            chosen,
            source,
            ItemStatus.PENDING,
            lane_id=lane.pk,
            run=F("run") + 1,
            price=price,
            tries=0,
            progress=0,
            error_code="",
            error_msg="",
            error_params={},
            error_final=False,
            trace=tracing.current(),
            queued_at=database_now(),
            not_before=database_now(),
            started_at=None,
            finished_at=None,
            made_by="",
            server_position=None,
            server_ready_at=None,
            **(replacement or {}),
        )
    return len(items)


@transaction.atomic
def put_first(*, batch_id: UUID, user_id: UUID) -> int:
    """Let what waits of a batch be served before everybody else's; returns how many items."""
    batch = lock_batch(batch_id)
    if batch is None:
        return 0
    return change_lane(batch, lanes.lane_of(user_id, engine=batch.engine, urgent=True))


def _chosen(
    batch: Batch, item_ids: Iterable[UUID] | None, statuses: Collection[ItemStatus]
) -> list[VideoItem]:
    items = batch.items.filter(status__in=statuses).order_by("position")
    return list(items if item_ids is None else items.filter(pk__in=list(item_ids)))


def _by_status(items: Iterable[VideoItem]) -> Iterator[tuple[ItemStatus, Items]]:
    """The items grouped by the status they are in, with their lanes."""
    ordered = sorted(items, key=lambda item: item.status)
    for status, group in groupby(ordered, key=lambda item: item.status):
        yield ItemStatus(status), {item.pk: item.lane_id for item in group}


def _run_of(item: VideoItem) -> Run:
    return Run(item.batch_id, item.pk, item.run, item.price)
