"""What an answer shows of batches and items, read as plain rows.

Making model instances costs more than reading the rows, and these are read by every poll.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Sum, TextField, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import second_factor
from videos.models import OPEN_STATUSES, Batch, ItemStatus, VideoItem
from zhiying.kernel.compiled import CompiledQuery
from zhiying.kernel.errors import NotFoundError
from zhiying.kernel.functions import SecondsBetween


class BatchRow(NamedTuple):
    """A batch with its owner's name. The fields are those of the query."""

    id: UUID
    user_id: UUID
    user__username: str
    name: str
    status: str
    version: int
    prompt: str
    engine: str
    engine_label: str
    route: str
    audio: str
    audio_name: str
    audio_duration_s: float
    image_count: int
    pending_count: int
    processing_count: int
    completed_count: int
    failed_count: int
    cancelled_count: int
    credits_used: int
    created_at: datetime
    expires_at: datetime | None
    files_removed_at: datetime | None

    @property
    def pk(self) -> UUID:
        return self.id

    @property
    def is_open(self) -> bool:
        """Whether something of it waits or is rendered, so that estimates change by themselves."""
        return self.status in OPEN_STATUSES


class ItemRow(NamedTuple):
    """An item. The fields are those of the query."""

    id: UUID
    batch_id: UUID
    position: int
    original_name: str
    source_image: str
    thumbnail: str
    video: str
    poster: str
    status: str
    progress: int
    error_code: str
    error_msg: str
    error_params: dict[str, Any]
    error_final: bool
    duration_s: float | None
    width: int
    height: int
    video_width: int | None
    video_height: int | None
    notes_json: str
    price: int
    made_by: str
    server_position: int | None
    elapsed_s: int | None
    server_late_s: int | None
    """Since its server expected to be done; before that less than zero."""


_BATCH = CompiledQuery(lambda pk: Batch.objects.filter(pk=pk).values_list(*BatchRow._fields))
_SHOWN_ITEMS = VideoItem.objects.annotate(
    elapsed_s=SecondsBetween("started_at", "finished_at"),
    server_late_s=SecondsBetween("server_ready_at", Value(None)),
    notes_json=Cast("notes", TextField()),
).values_list(*ItemRow._fields)
_ITEMS = CompiledQuery(lambda pk: _SHOWN_ITEMS.filter(batch_id=pk).order_by("position"))


def batch_row_for(user: User, batch_id: UUID) -> BatchRow:
    """A batch the user may see, by one indexed query: their own, or any for an administrator.

    Raises:
        NotFoundError: also for other people's batches, which are not to be told from none.
    """
    found = _BATCH.first(batch_id)
    if found is not None:
        row = BatchRow._make(found)
        if row.user_id == user.pk or second_factor.may_administer(user):
            return row
    raise NotFoundError(_("There is no such batch."))


def newest_rows(user_id: UUID, limit: int) -> list[BatchRow]:
    """The user's newest batches."""
    return [BatchRow._make(row) for row in _newest(limit).rows(user_id)]


@lru_cache(maxsize=32)
def _newest(limit: int) -> CompiledQuery:
    """The limit is part of the statement."""
    return CompiledQuery(
        lambda user_id: (
            Batch.objects.filter(user_id=user_id)
            .order_by("-created_at", "-id")
            .values_list(*BatchRow._fields)[:limit]
        )
    )


def items_of(batch_ids: Collection[UUID]) -> Mapping[UUID, list[ItemRow]]:
    """The items of each batch in order of position, by one query."""
    grouped: dict[UUID, list[ItemRow]] = {batch_id: [] for batch_id in batch_ids}
    for item in map(ItemRow._make, _item_tuples(list(grouped))):
        grouped[item.batch_id].append(item)
    return grouped


def _item_tuples(batch_ids: list[UUID]) -> Iterable[tuple[Any, ...]]:
    if len(batch_ids) == 1:
        return _ITEMS.rows(batch_ids[0])
    return _SHOWN_ITEMS.filter(batch_id__in=batch_ids).order_by("batch_id", "position")


def running_progress(batch_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Percent rendered, summed over the running items of each batch that has some."""
    if not batch_ids:
        return {}
    running = VideoItem.objects.filter(batch_id__in=batch_ids, status=ItemStatus.PROCESSING).order_by()
    return dict(running.values_list("batch_id").annotate(n=Sum("progress")))
