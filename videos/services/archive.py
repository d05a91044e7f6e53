"""Getting results out: names taken from the source images, and one streamed ZIP."""

import csv
import io
import threading
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from queue import Full, Queue
from uuid import UUID

from django.utils.translation import gettext as _
from zipstream import ZIP_STORED, ZipStream

from videos import catalogue
from videos.models import Batch, ItemStatus, VideoItem
from videos.store import files as stored
from videos.store.archive_names import DistinctNames, safe_name
from videos.store.keys import result_prefix

MANIFEST = "manifest.csv"
CHUNKS_AHEAD = 4
"""Of the file that comes next: its request is under way while the last one is being sent."""
GIVE_UP_S = 0.5
"""Between two looks of a reader ahead whether anybody still wants what it reads."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class ExportedFile:
    """A finished video and the name it gets outside."""

    item: VideoItem
    name: str


def exported_files(batch: Batch, chosen: Set[UUID] | None = None) -> list[ExportedFile]:
    """The completed items, or those `chosen` of them, in order of position; none once the files are gone.

    Their file names are distinct, and the same in every choice.
    """
    if batch.files_removed:
        return []
    names = DistinctNames(MANIFEST)
    files = [
        ExportedFile(item, names.give(item.original_name, ".mp4", "video"))
        for item in batch.items.order_by("position")
        if item.status == ItemStatus.COMPLETED
    ]
    return files if chosen is None else [file for file in files if file.item.pk in chosen]


def archive_name(batch: Batch) -> str:
    return safe_name(batch.name, ".zip", "batch")


class Archive:
    """A ZIP that is made while it is read, once; `len` is its size, known ahead.

    Whatever ends it ends those who read ahead for it. A client can go away between two files as well, where
    none of the contents is being read and could notice, so this is nobody's business but the whole's. `close`
    is what Django calls at the end of an answer, also of one that was never begun.
    """

    def __init__(self, content: ZipStream, readers: Sequence["_Ahead"]) -> None:
        self._content = content
        self._readers = readers

    def __len__(self) -> int:
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._content
        finally:
            self.close()

    def close(self) -> None:
        for reader in self._readers:
            reader.stop()


def stream_archive(batch: Batch, chosen: Set[UUID] | None = None) -> Archive:
    """A ZIP of the finished videos, or those `chosen` of them, and the manifest.

    Sizes come from one listing of the batch's results, whatever their number, which also tells what is
    missing in the store: that is left out, and the manifest says so.
    """
    content = ZipStream(compress_type=ZIP_STORED, sized=True)
    sizes = stored.result_sizes(result_prefix(batch.pk))
    files = exported_files(batch, chosen)
    kept = [file for file in files if file.item.video in sizes]
    readers = [_Ahead(file.item.video) for file in kept]
    for number, file in enumerate(kept):
        chunks = _chunks(readers[number], readers[number + 1 : number + 2])
        content.add(chunks, file.name, size=sizes[file.item.video])
    names = {file.item.pk: file.name for file in kept}
    missing = {file.item.pk for file in files} - set(names)
    content.add(_manifest(batch, names, missing, chosen), MANIFEST)
    return Archive(content, readers)


def _chunks(this: "_Ahead", following: list["_Ahead"]) -> Iterator[bytes]:
    for one in [this, *following]:
        one.begin()
    yield from this.chunks()


class _Ahead:
    """A stored file of which the first chunks are fetched before they are asked for."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._queue: Queue[bytes | Exception | None] = Queue(CHUNKS_AHEAD)
        self._stopped = threading.Event()
        self._begun = False

    def begin(self) -> None:
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._read, name="archive", daemon=True).start()

    def chunks(self) -> Iterator[bytes]:
        while (chunk := self._queue.get(timeout=stored.FETCH_DEADLINE_S)) is not None:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    def stop(self) -> None:
        self._stopped.set()

    def _read(self) -> None:
        end: Exception | None = None
        try:
            for chunk in stored.chunks(self._key):
                if not self._put(chunk):
                    return
        except Exception as error:  # noqa: BLE001  (raised where the chunks are asked for)
            end = error
        self._put(end)

    def _put(self, chunk: bytes | Exception | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(chunk, timeout=GIVE_UP_S)
            except Full:
                continue
            return True
        return False


def _manifest(batch: Batch, names: Mapping[UUID, str], missing: Set[UUID], chosen: Set[UUID] | None) -> bytes:
    """What became of every image, or those chosen; UTF-8 with a mark: spreadsheets then read Chinese."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["file", "source", "status", "reason", "credits"])
    for item in batch.items.order_by("position"):
        if chosen is not None and item.pk not in chosen:
            continue
        cost = 0 if item.status in (ItemStatus.FAILED, ItemStatus.CANCELLED) else item.price
        reason = catalogue.failure(item.error_code, item.error_params, item.error_msg)
        if item.pk in missing:
            reason = _("The video is not in the store any more.")
        row = [names.get(item.pk, ""), item.original_name, item.status, reason, cost]
        rows.writerow([_cell(value) for value in row])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    """A file named like a formula must not become one in a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
