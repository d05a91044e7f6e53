"""What the batch calls take and give."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from videos.models import BatchStatus
from videos.pricing import started_s
from videos.services.engine_limits import EngineLimits
from videos.services.selectors import FILES_SEARCHED
from zhiying.kernel.api.fields import DayField
from zhiying.kernel.api.paging import PageQuery
from zhiying.kernel.windows import SEARCH_HELP

FILE_SEARCH_HELP = f"Or part of a file's name, among the newest {FILES_SEARCHED}."


class BatchInput(serializers.Serializer[Any]):
    """The text fields of a new batch. Files are taken from the request by the view."""

    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    prompt = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Expression and movement, in words."
    )
    engine = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text="One of `engines` of `/api/engine/status`; empty: chosen by the administrators' rules.",
    )


class BatchFromUploads(BatchInput):
    """A new batch of files that were uploaded, or are kept of earlier batches."""

    images = serializers.ListField(
        child=serializers.CharField(max_length=200),
        max_length=1000,
        required=False,
        default=list,
        help_text="1 to 50 keys of uploads, or `ref`s of the library.",
    )
    audio = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="The key of an upload, or a `ref` of the library.",
    )


class ImageFromUpload(serializers.Serializer[Any]):
    image = serializers.CharField(
        max_length=200, help_text="The key of an upload, or a `ref` of the library."
    )


class BatchUpload(BatchInput):
    """The multipart form of a new batch (documentation)."""

    images = serializers.ListField(
        child=serializers.FileField(), help_text="1 to 50 JPEG, PNG or WebP files; also `images[]`."
    )
    audio = serializers.FileField(help_text="MP3 or WAV.")


class BatchCreateQuery(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField(default=False, help_text="Check and price only; create nothing.")


class ImageUpload(serializers.Serializer[Any]):
    image = serializers.FileField()


class BatchListQuery(PageQuery):
    search = serializers.CharField(
        required=False, max_length=200, help_text=f"{SEARCH_HELP} {FILE_SEARCH_HELP}"
    )
    status = serializers.ChoiceField(choices=BatchStatus.choices, required=False)
    date_from = DayField(required=False)
    date_to = DayField(required=False)
    summary = serializers.BooleanField(default=False, help_text="Batches without their items.")


class RenameInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)


class NoticeOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class ChosenEngineOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # hides Field.label, unused here


class CreatedOutput(serializers.Serializer[Any]):
    batch_id = serializers.UUIDField()
    name = serializers.CharField()
    image_count = serializers.IntegerField()
    price_per_image = serializers.IntegerField()
    credits_used = serializers.IntegerField()
    credits = serializers.IntegerField(help_text="What is left.")
    engine = ChosenEngineOutput(help_text="What makes the videos.")
    notices = NoticeOutput(many=True, help_text="What to know though nothing is wrong.")


class DryRunOutput(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    image_count = serializers.IntegerField()
    price_per_image = serializers.IntegerField()
    price = serializers.IntegerField(help_text="Credits of the whole batch.")
    credits = serializers.IntegerField()
    sufficient = serializers.BooleanField()
    duration = serializers.FloatField(help_text="Of the recording, seconds.")
    engine = ChosenEngineOutput(help_text="What makes the videos.")
    notices = NoticeOutput(many=True, help_text="What to know though nothing is wrong.")


class RetryInput(serializers.Serializer[Any]):
    where_it_helps = serializers.BooleanField(
        default=False, help_text="Leave out what would fail again with the same files (`retry_helps`)."
    )


class CountOutput(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    count = serializers.IntegerField()


class ExportFileOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    url = serializers.CharField()


class UrlOutput(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="Absolute; works without a header.")


class ExportOutput(serializers.Serializer[Any]):
    batch_id = serializers.UUIDField()
    batch_name = serializers.CharField()
    files = ExportFileOutput(many=True)
    total = serializers.IntegerField()
    zip_url = serializers.CharField(
        help_text="All of them and manifest.csv, streamed; works without a header."
    )


class EngineQueueOutput(serializers.Serializer[Any]):
    pending = serializers.IntegerField()
    processing = serializers.IntegerField()


class OfferedEngineOutput(serializers.Serializer[Any]):
    engine = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # hides Field.label, unused here
    is_default = serializers.BooleanField(help_text="The installation's own choice.")
    ready = serializers.BooleanField()
    detail = serializers.CharField()
    capabilities = serializers.DictField()
    limits = serializers.DictField()


class EngineStatusOutput(serializers.Serializer[Any]):
    engine = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # hides Field.label, unused here
    ready = serializers.BooleanField()
    detail = serializers.CharField()
    queue = EngineQueueOutput()
    capabilities = serializers.DictField()
    limits = serializers.DictField(
        help_text="Of batches that choose no engine: the widest to which the rules may lead. "
        "`price_varies`: which of them makes a batch decides what it costs; a dry run tells."
    )
    engines = OfferedEngineOutput(
        many=True, help_text="The installation's own, then those that the caller may choose for a batch."
    )


class TokenStatusOutput(serializers.Serializer[Any]):
    valid = serializers.BooleanField()
    error = serializers.CharField(required=False)


def limits_body(engine: EngineLimits, *, price_varies: bool = False) -> dict[str, Any]:
    """The limits a client can check before it uploads, for batches of an engine.

    `price_varies`: who makes the batch is not known yet, and decides what it costs.
    """
    return {
        "max_images": settings.BATCH_MAX_IMAGES,
        "image_max_bytes": settings.IMAGE_MAX_BYTES,
        "image_max_pixels": settings.IMAGE_MAX_PIXELS,
        "image_min_side": engine.least_side_px,
        "audio_max_bytes": settings.AUDIO_MAX_BYTES,
        "audio_min_s": engine.shortest_s,
        "audio_max_s": engine.longest_s,
        "prompt_max_chars": settings.PROMPT_MAX_CHARS,
        "credits_per_started_s": started_s(engine.name),
        "price_varies": price_varies,
        "understands_prompt": engine.understands_prompt,
    }
