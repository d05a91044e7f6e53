"""The library of one's own: stored portraits and recordings, to be used in another batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from videos.models import Batch, VideoItem
from videos.services import library
from videos.store.urls import Links
from zhiying.kernel.api.links import origin_of
from zhiying.kernel.api.paging import Order, PageOutput, PageQuery, page_facts, page_of, validated_query
from zhiying.kernel.api.shapes import Shape, shown

IMAGE, AUDIO = "image", "audio"
BATCHES_A_PAGE = 20
IMAGES_A_PAGE = 400
"""A page ends with the batch that would make it longer."""


class LibraryQuery(PageQuery):
    kind = serializers.ChoiceField(choices=[IMAGE, AUDIO])
    search = serializers.CharField(
        required=False, max_length=200, help_text="As in the list of batches: those whose files are shown."
    )


@dataclass(frozen=True, slots=True)
class _File:
    """A portrait (`item`) or the recording (no `item`) of a batch."""

    batch: Batch
    item: VideoItem | None
    links: Links

    @property
    def reference(self) -> str:
        if self.item:
            return f"{library.PORTRAIT}{self.item.pk}"
        return f"{library.RECORDING}{self.batch.pk}"


class LibraryFileOutput(Shape):
    ref = shown(
        serializers.CharField(help_text="Names the file in `POST /api/video/batch`, in place of a key."),
        lambda file: file.reference,
    )
    kind = shown(serializers.ChoiceField(choices=[IMAGE, AUDIO]), lambda file: IMAGE if file.item else AUDIO)
    name = shown(
        serializers.CharField(),
        lambda file: file.item.original_name if file.item else file.batch.audio_name,
    )
    url = shown(
        serializers.CharField(help_text="Absolute; works without a header."),
        lambda file: file.links.url(file.item.source_image if file.item else file.batch.audio),
    )
    thumbnail_url = shown(
        serializers.CharField(help_text='"" for recordings.'),
        lambda file: file.links.url(file.item.thumbnail) if file.item else "",
    )
    width = shown(
        serializers.IntegerField(allow_null=True, help_text="Of the upright source image, pixels."),
        lambda file: file.item.width if file.item else None,
    )
    height = shown(
        serializers.IntegerField(allow_null=True), lambda file: file.item.height if file.item else None
    )
    duration = shown(
        serializers.FloatField(allow_null=True, help_text="Of a recording, seconds."),
        lambda file: None if file.item else round(file.batch.audio_duration_s, 3),
    )
    batch_id = shown(serializers.UUIDField(), lambda file: file.batch.pk)
    batch_name = shown(serializers.CharField(), lambda file: file.batch.name)
    created_at = shown(serializers.DateTimeField(), lambda file: file.batch.created_at)
    expires_at = shown(
        serializers.DateTimeField(
            allow_null=True, help_text="From then on it may be gone; copies in newer batches stay."
        ),
        lambda file: file.batch.expires_at,
    )


class LibraryOutput(PageOutput):
    total = serializers.IntegerField(help_text="Batches in all pages, counted up to 10000.")
    files = LibraryFileOutput(many=True)


class LibraryView(APIView):
    @extend_schema(parameters=[LibraryQuery], responses=LibraryOutput)
    def get(self, request: Request) -> Response:
        """Portraits or recordings of the user's earlier batches, newest first, as long as they are kept.

        `limit` counts batches; all files of a batch are on one page. Naming one in a new batch copies it.
        """
        query = validated_query(request, LibraryQuery)
        images = query["kind"] == IMAGE
        page = page_of(
            library.batches_with_files(current_user(request), query.get("search", "")),
            query,
            Order.parse("-created_at"),
            default_limit=BATCHES_A_PAGE,
            fitting=_fitting if images else len,
        )
        links = Links.beginning_with(origin_of(request._request))
        files = _files(page.rows, links, images=images)
        return Response({"files": LibraryFileOutput.bodies(files), **page_facts(request, page)})


def _files(batches: Sequence[Batch], links: Links, *, images: bool) -> Iterator[_File]:
    if not images:
        yield from (_File(batch, None, links) for batch in batches)
        return
    items = library.portraits_of([batch.pk for batch in batches])
    for batch in batches:
        yield from (_File(batch, item, links) for item in items[batch.pk])


def _fitting(batches: Sequence[Batch]) -> int:
    sizes = accumulate(batch.image_count for batch in batches)
    return max(1, sum(size <= IMAGES_A_PAGE for size in sizes))
