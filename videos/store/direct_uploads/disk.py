"""Direct uploads to the disk: a folder for each upload, a file for each part.

Sealing renames the folder, so that a part which arrives late finds no place any more. The parts are
never put together: reading gives them one after the other.
"""

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from errno import ENOTEMPTY
from pathlib import Path
from typing import IO

from videos.media.files import replacing
from videos.models import Upload
from videos.store.backends import disk_path
from videos.store.direct_uploads.base import CHUNK_BYTES, UploadChangedError
from videos.store.keys import upload_key
from videos.store.urls import is_valid, media_path, seconds_left

SEAL = "disk"
PART_DEADLINE_S = 600.0
"""How long a part may take to arrive."""


class PartRefusedError(Exception):
    """A part is not what was announced, or nobody waits for it; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DiskUploads:
    """The parts lie below `uploads/` in the media folder."""

    def begin(self, upload: Upload) -> str:
        _open_folder(upload).mkdir(parents=True)
        return ""

    def part_urls(self, upload: Upload, origin: str) -> list[str]:
        return [origin + media_path(_part_key(upload, number)) for number in range(1, upload.part_count + 1)]

    def urls_expire_at(self, upload: Upload) -> datetime:
        token = media_path(_part_key(upload, 1)).split("/")[2]
        return datetime.fromtimestamp(int(time.time()) + seconds_left(token), tz=UTC)

    def received(self, upload: Upload) -> set[int]:
        return _received(upload, _open_folder(upload))

    def seal(self, upload: Upload) -> str | None:
        opened, sealed = _open_folder(upload), _sealed_folder(upload)
        if sealed.is_dir():
            return SEAL
        with suppress(OSError):
            if len(_received(upload, opened)) == upload.part_count:
                opened.rename(sealed)
                return SEAL
        # What is missing may have been sealed by somebody else since the first look.
        return SEAL if sealed.is_dir() else None

    def read_into(self, upload: Upload, target: IO[bytes]) -> None:
        folder = _sealed_folder(upload)
        try:
            if len(_received(upload, folder)) < upload.part_count:
                raise UploadChangedError(upload.pk)
            for number in range(1, upload.part_count + 1):
                with (folder / str(number)).open("rb") as part:
                    shutil.copyfileobj(part, target, CHUNK_BYTES)
        except FileNotFoundError as error:
            raise UploadChangedError(upload.pk) from error

    def discard(self, uploads: Sequence[Upload]) -> None:
        for upload in uploads:
            for folder in (_open_folder(upload), _sealed_folder(upload)):
                _remove(folder)


def is_signed_part(token: str, upload: Upload, number: int) -> bool:
    """Whether a URL's token was made for this part and has not expired."""
    return 1 <= number <= upload.part_count and is_valid(token, _part_key(upload, number))


def receive_part(upload: Upload, number: int, stream: IO[bytes], length: int) -> None:
    """Write a part as it arrives; it is there whole or not at all, and a second one replaces the first.

    Raises:
        PartRefusedError: `part_size` (not as long as announced), `part_incomplete` (the connection broke),
            `part_too_slow`, or `upload_closed`.
    """
    if length != upload.part_bytes(number):
        raise PartRefusedError("part_size")
    deadline = time.monotonic() + PART_DEADLINE_S
    try:
        with replacing(_open_folder(upload) / str(number)) as target:
            left = length
            while left:
                chunk = stream.read(min(left, CHUNK_BYTES))
                if not chunk:
                    raise PartRefusedError("part_incomplete")
                if time.monotonic() > deadline:
                    raise PartRefusedError("part_too_slow")
                target.write(chunk)
                left -= len(chunk)
    except FileNotFoundError as error:  # sealed or discarded meanwhile
        raise PartRefusedError("upload_closed") from error


def _part_key(upload: Upload, number: int) -> str:
    """The path of a part's URL below /media/<token>/, which is what the token signs."""
    return f"upload/{upload.pk}/{number}"


def _open_folder(upload: Upload) -> Path:
    return disk_path(upload_key(upload.pk))


def _sealed_folder(upload: Upload) -> Path:
    return disk_path(f"{upload_key(upload.pk)}.sealed")


def _remove(folder: Path) -> None:
    """Also while somebody else does, or while a part arrives, which is tried once more for."""
    for is_last in (False, True):
        try:
            for part in folder.iterdir():
                part.unlink(missing_ok=True)
            folder.rmdir()
            return
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            if is_last or error.errno != ENOTEMPTY:
                raise


def _received(upload: Upload, folder: Path) -> set[int]:
    numbers = range(1, upload.part_count + 1)
    return {number for number in numbers if _size(folder / str(number)) == upload.part_bytes(number)}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1
