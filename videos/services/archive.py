"""Getting results out: names taken from the source images, and one streamed ZIP."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.core.files.storage import default_storage
from zipstream import ZIP_STORED, ZipStream

from videos import catalogue
from videos.models import Batch, ItemStatus, VideoItem
from videos.pricing import CREDITS_PER_IMAGE

CHUNK_BYTES = 256 * 1024
MANIFEST = "manifest.csv"
_FORBIDDEN = set('<>:"/\\|?*')
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class ExportedFile:
    """A finished video and the name it gets outside."""

    item: VideoItem
    name: str


def exported_files(batch: Batch) -> list[ExportedFile]:
    """The completed items with distinct file names, in order of position."""
    taken = {MANIFEST}
    return [
        ExportedFile(item, _free_name(item.original_name, taken))
        for item in batch.items.order_by("position")
        if item.status == ItemStatus.COMPLETED
    ]


def archive_name(batch: Batch) -> str:
    return f"{_safe(batch.name) or 'batch'}.zip"


def stream_archive(batch: Batch) -> ZipStream:
    """A ZIP of all finished videos and the manifest, made while it is read; its size is known ahead."""
    archive = ZipStream(compress_type=ZIP_STORED, sized=True)
    files = exported_files(batch)
    for file in files:
        size = default_storage.size(file.item.video)
        archive.add(_chunks(file.item.video), file.name, size=size)
    archive.add(_manifest(batch, {file.item.pk: file.name for file in files}), MANIFEST)
    return archive


def _chunks(key: str) -> Iterator[bytes]:
    with default_storage.open(key) as stream:
        yield from stream.chunks(CHUNK_BYTES)


def _manifest(batch: Batch, names: dict[object, str]) -> bytes:
    """What became of every image; UTF-8 with a mark, so that spreadsheets read Chinese."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["file", "source", "status", "reason", "credits"])
    for item in batch.items.order_by("position"):
        cost = 0 if item.status in (ItemStatus.FAILED, ItemStatus.CANCELLED) else CREDITS_PER_IMAGE
        reason = catalogue.failure(item.error_code, item.error_params, item.error_msg)
        row = [names.get(item.pk, ""), item.original_name, item.status, reason, cost]
        rows.writerow([_cell(value) for value in row])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    """A file named like a formula must not become one in a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _free_name(original: str, taken: set[str]) -> str:
    stem = _safe(PurePosixPath(original).stem) or "video"
    number, name = 1, f"{stem}.mp4"
    while name.lower() in taken:  # Windows and macOS do not tell upper from lower case
        number += 1
        name = f"{stem} ({number}).mp4"
    taken.add(name.lower())
    return name


def _safe(name: str) -> str:
    """A name every file system takes."""
    kept = "".join("_" if character in _FORBIDDEN else character for character in name)
    return kept.strip(" .")[:120]
