"""Reading batches and items: who may see which."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import second_factor
from accounts.services.ledger_reads import start_of_day
from videos.models import Batch, VideoItem
from zhiying.kernel.errors import NotFoundError
from zhiying.kernel.windows import newest, since

FILES_SEARCHED = 1000
"""Batches whose files' names a search looks at."""
NEWEST_FIRST = "-created_at"


def batches_listed(filters: dict[str, Any]) -> "QuerySet[Batch]":
    """Batches by `user`, `status`, `date_from`, `date_to` (local days), `search` and `ordering`.

    Users, states and days have indexes with the newest first. A part of a name has none, nor has another
    order of a filtered list: those look at the newest batches that the other filters leave
    (`zhiying.kernel.windows`).
    """
    batches = Batch.objects.all()
    exact = {
        "user_id": filters.get("user"),
        "status": filters.get("status"),
        "created_at__gte": _start(filters.get("date_from")),
        "created_at__lt": _start(filters.get("date_to"), days=1),
    }
    chosen = {name: value for name, value in exact.items() if value}
    batches = batches.filter(**chosen)
    search = filters.get("search")
    by_time = filters.get("ordering", NEWEST_FIRST).removeprefix("-") == "created_at"
    if search or (chosen and not by_time):
        batches = newest(batches)
    return batches.filter(_named(batches, search)) if search else batches


def _named(batches: "QuerySet[Batch]", search: str) -> Q:
    """Batches with this in their name, or in that of a file; the latter among the newest `FILES_SEARCHED`."""
    images = VideoItem.objects.filter(batch=OuterRef("pk"), original_name__icontains=search)
    in_files = Q(audio_name__icontains=search) | Q(Exists(images))
    return Q(name__icontains=search) | (since(batches, FILES_SEARCHED) & in_files)


def _start(day: date | None, *, days: int = 0) -> datetime | None:
    return start_of_day(day + timedelta(days=days)) if day else None


def batch_for(user: User, batch_id: UUID) -> Batch:
    """A batch the user may see: their own, or any for an administrator.

    Raises:
        NotFoundError: also for other people's batches, which are not to be told from none.
    """
    batches = Batch.objects.select_related("user")
    if not second_factor.may_administer(user):
        batches = batches.filter(user=user)
    batch = batches.filter(pk=batch_id).first()
    if batch is None:
        raise NotFoundError(_("There is no such batch."))
    return batch


def item_for(user: User, batch_id: UUID, item_id: UUID) -> VideoItem:
    """An item of a batch the user may see; `NotFoundError` otherwise."""
    batch = batch_for(user, batch_id)
    item = batch.items.select_related("batch").filter(pk=item_id).first()
    if item is None:
        raise NotFoundError(_("There is no such video in this batch."))
    return item
