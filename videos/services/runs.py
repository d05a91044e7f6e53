"""A user's side of an item's life: runs, which are paid for, cancelled and paid for again."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.services import credits as ledger
from accounts.services.credits import Run
from videos.models import Batch, ItemStatus, VideoItem
from videos.pricing import CREDITS_PER_IMAGE
from videos.services.transitions import (
    RETRYABLE,
    WAITING_OR_RUNNING,
    ended,
    lock_batch,
    move,
    refresh_status,
    refund,
)


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
    move(_rows(items), WAITING_OR_RUNNING, ItemStatus.CANCELLED, **ended())
    refund(batch, [_run_of(item) for item in items], note="cancelled")
    refresh_status(batch)
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
    move(
        _rows(items),
        RETRYABLE,
        ItemStatus.PENDING,
        run=F("run") + 1,
        tries=0,
        progress=0,
        error_code="",
        error_msg="",
        error_params={},
        error_final=False,
        queued_at=now,
        not_before=now,
        started_at=None,
        finished_at=None,
        **(replacement or {}),
    )
    refresh_status(batch)
    return len(items)


def _chosen(
    batch: Batch, item_ids: Iterable[UUID] | None, statuses: Collection[ItemStatus]
) -> list[VideoItem]:
    items = batch.items.filter(status__in=statuses).order_by("position")
    return list(items if item_ids is None else items.filter(pk__in=list(item_ids)))


def _rows(items: Iterable[VideoItem]) -> "QuerySet[VideoItem]":
    return VideoItem.objects.filter(pk__in=[item.pk for item in items])


def _run_of(item: VideoItem) -> Run:
    return Run(item.batch_id, item.pk, item.run)
