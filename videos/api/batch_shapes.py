"""How batches and items look to clients: each field once, with its names, its type and its source.

The schema's names and the front end's names for the same values stand side by side here, and nowhere
else.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rest_framework import serializers

from videos import catalogue
from videos.engine_names import name_of
from videos.models import BatchStatus, ItemStatus
from videos.pricing import price_of_video
from videos.scheduling.forecast import Forecast
from videos.services.batch_rows import BatchRow, ItemRow
from videos.services.routing import first_engine_of
from videos.services.transitions import RETRYABLE
from videos.store.urls import Links
from zhiying.kernel.api.paging import PageOutput
from zhiying.kernel.api.shapes import Shape, shown


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item, and what makes its links."""

    row: ItemRow
    links: Links
    files_removed: bool
    """The batch's files are gone: there is nothing to link to."""

    @property
    def video(self) -> str:
        """The link to the result; empty until there is one."""
        return self.link(self.row.video) if self.row.status == ItemStatus.COMPLETED else ""

    def link(self, key: str) -> str:
        return "" if self.files_removed else self.links.url(key)

    @property
    def server_eta_s(self) -> int | None:
        late_s = self.row.server_late_s
        return None if late_s is None or self.row.status != ItemStatus.PROCESSING else max(0, -late_s)

    @property
    def notes(self) -> list[str]:
        text = self.row.notes_json
        return [] if text == "[]" else [catalogue.note(note) for note in json.loads(text)]

    @property
    def error_msg(self) -> str:
        """Why it failed, in the reader's language."""
        row = self.row
        return catalogue.failure(row.error_code, row.error_params, row.error_msg) if row.error_code else ""


@dataclass(frozen=True, slots=True)
class ShownBatch:
    """A batch with what its answer needs beside the row itself."""

    row: BatchRow
    links: Links
    forecast: Forecast
    items: Sequence[ShownItem]
    """Empty in a summary."""
    running_progress: int
    """Percent, summed over the items being rendered."""
    waiting_reason: str
    """Why its engine makes nothing now, in the reader's language."""

    @property
    def files_removed(self) -> bool:
        return self.row.files_removed_at is not None

    @property
    def overall_progress(self) -> int:
        row = self.row
        ended = row.completed_count + row.failed_count + row.cancelled_count
        return (100 * ended + self.running_progress) // max(1, row.image_count)


class ItemOutput(Shape):
    id = shown(serializers.UUIDField(), lambda item: item.row.id)
    batch_id = shown(serializers.UUIDField(), lambda item: item.row.batch_id)
    position = shown(serializers.IntegerField(), lambda item: item.row.position)
    original_name = shown(serializers.CharField(), lambda item: item.row.original_name)
    sourceImage = source_image_url = shown(  # noqa: N815
        serializers.CharField(), lambda item: item.link(item.row.source_image)
    )
    thumbnail_url = shown(serializers.CharField(), lambda item: item.link(item.row.thumbnail))
    videoUrl = video_url = shown(  # noqa: N815
        serializers.CharField(help_text='"" until there is one.'), lambda item: item.video
    )
    poster_url = shown(serializers.CharField(), lambda item: item.link(item.row.poster) if item.video else "")
    status = shown(serializers.ChoiceField(choices=ItemStatus.choices), lambda item: item.row.status)
    progress = shown(serializers.IntegerField(help_text="0 to 100."), lambda item: item.row.progress)
    engine = shown(
        serializers.CharField(help_text='What made the video; "" until there is one.'),
        lambda item: item.row.made_by if item.video else "",
    )
    server_position = shown(
        serializers.IntegerField(
            allow_null=True, help_text="In the queue of the engine's server, while it waits there; 1 is next."
        ),
        lambda item: item.row.server_position if item.row.status == ItemStatus.PROCESSING else None,
    )
    server_eta_s = shown(
        serializers.IntegerField(
            allow_null=True, help_text="Seconds until the engine's server is done, by its own estimate."
        ),
        lambda item: item.server_eta_s,
    )
    api_task_id = shown(
        serializers.CharField(
            allow_null=True, help_text="Once this run was handed to a worker, else null. An opaque text."
        ),
        lambda item: str(item.row.id) if item.row.elapsed_s is not None else None,
    )
    elapsed_time = shown(
        serializers.IntegerField(help_text="Seconds."), lambda item: max(0, item.row.elapsed_s or 0)
    )
    error_code = shown(serializers.CharField(), lambda item: item.row.error_code)
    error_msg = shown(serializers.CharField(), lambda item: item.error_msg)
    retry_helps = shown(
        serializers.BooleanField(
            help_text="Failed or cancelled, and not for a reason that would make the same files fail again."
        ),
        lambda item: item.row.status in RETRYABLE and not item.row.error_final,
    )
    duration = shown(
        serializers.FloatField(allow_null=True, help_text="Seconds, once completed."),
        lambda item: item.row.duration_s if item.video else None,
    )
    width = shown(
        serializers.IntegerField(help_text="Of the upright source image, pixels."),
        lambda item: item.row.width,
    )
    height = shown(serializers.IntegerField(), lambda item: item.row.height)
    video_width = shown(
        serializers.IntegerField(allow_null=True, help_text="Of the video, pixels, once completed."),
        lambda item: item.row.video_width if item.video else None,
    )
    video_height = shown(
        serializers.IntegerField(allow_null=True),
        lambda item: item.row.video_height if item.video else None,
    )
    price = shown(
        serializers.IntegerField(help_text="Credits that its latest run was charged."),
        lambda item: item.row.price,
    )
    files_removed = shown(
        serializers.BooleanField(help_text="Its files are gone for good; it cannot be retried."),
        lambda item: item.files_removed,
    )
    notes = shown(
        serializers.ListField(child=serializers.CharField()),
        lambda item: item.notes,
    )


class ProgressOutput(Shape):
    overall_progress = shown(
        serializers.IntegerField(help_text="0 to 100."), lambda batch: batch.overall_progress
    )
    total = shown(serializers.IntegerField(), lambda batch: batch.row.image_count)
    completed = shown(serializers.IntegerField(), lambda batch: batch.row.completed_count)
    processing = shown(serializers.IntegerField(), lambda batch: batch.row.processing_count)
    pending = shown(
        serializers.IntegerField(help_text="All items that wait."), lambda batch: batch.row.pending_count
    )
    # a worker takes an item only when it begins to render it, so whatever waits is queued
    queued = shown(
        serializers.IntegerField(help_text="Those of them not yet handed to a worker or engine."),
        lambda batch: batch.row.pending_count,
    )
    failed = shown(serializers.IntegerField(), lambda batch: batch.row.failed_count)
    cancelled = shown(serializers.IntegerField(), lambda batch: batch.row.cancelled_count)
    queue_position = shown(
        serializers.IntegerField(allow_null=True, help_text="1 is next."),
        lambda batch: batch.forecast.queue_position,
    )
    eta_seconds = shown(
        serializers.IntegerField(allow_null=True, help_text="Waiting and rendering together."),
        lambda batch: batch.forecast.eta_s,
    )
    eta_waiting_seconds = shown(
        serializers.IntegerField(allow_null=True), lambda batch: batch.forecast.eta_waiting_s
    )
    eta_rendering_seconds = shown(
        serializers.IntegerField(allow_null=True), lambda batch: batch.forecast.eta_rendering_s
    )


class BatchOutput(Shape):
    id = shown(serializers.UUIDField(), lambda batch: batch.row.id)
    userId = user_id = shown(serializers.UUIDField(), lambda batch: batch.row.user_id)  # noqa: N815
    userName = shown(serializers.CharField(), lambda batch: batch.row.user__username)  # noqa: N815
    name = shown(serializers.CharField(), lambda batch: batch.row.name)
    status = shown(serializers.ChoiceField(choices=BatchStatus.choices), lambda batch: batch.row.status)
    timestamp = shown(
        serializers.IntegerField(help_text="Milliseconds since 1970."),
        lambda batch: int(batch.row.created_at.timestamp() * 1000),
    )
    created_at = shown(serializers.DateTimeField(), lambda batch: batch.row.created_at)
    prompt = shown(serializers.CharField(), lambda batch: batch.row.prompt)
    engine = shown(serializers.CharField(), lambda batch: name_of(batch.row.engine))
    engine_label = shown(
        serializers.CharField(), lambda batch: batch.row.engine_label or name_of(batch.row.engine)
    )
    waiting_reason = shown(
        serializers.CharField(help_text="Why its engine makes nothing now, while something of it is open."),
        lambda batch: batch.waiting_reason,
    )
    expires_at = shown(
        serializers.DateTimeField(
            allow_null=True, help_text="From then on its files are removed; null: never."
        ),
        lambda batch: batch.row.expires_at,
    )
    files_removed = shown(
        serializers.BooleanField(help_text="Its files were removed: what is left are the facts."),
        lambda batch: batch.files_removed,
    )
    audioName = shown(serializers.CharField(), lambda batch: batch.row.audio_name)  # noqa: N815
    audio_url = shown(
        serializers.CharField(), lambda batch: "" if batch.files_removed else batch.links.url(batch.row.audio)
    )
    audio_duration = shown(
        serializers.FloatField(help_text="Seconds."), lambda batch: round(batch.row.audio_duration_s, 3)
    )
    imageCount = image_count = shown(serializers.IntegerField(), lambda batch: batch.row.image_count)  # noqa: N815
    creditsUsed = shown(  # noqa: N815
        serializers.IntegerField(help_text="Net of refunds."), lambda batch: batch.row.credits_used
    )
    price_per_image = shown(
        serializers.IntegerField(help_text="Credits that another video of this recording costs now."),
        lambda batch: price_of_video(batch.row.audio_duration_s, first_engine_of(batch.row)),
    )
    items = shown(
        ItemOutput(many=True, help_text="In order of position; empty in a summary."),
        lambda batch: ItemOutput.bodies(batch.items),
    )
    progress = shown(ProgressOutput(), ProgressOutput.body)


class BatchListOutput(PageOutput):
    batches = BatchOutput(many=True)
