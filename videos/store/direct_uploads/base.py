"""What a store must be able to do for direct uploads."""

from collections.abc import Sequence
from datetime import datetime
from typing import IO, Protocol

from videos.models import Upload

CHUNK_BYTES = 1024 * 1024
"""What is held in memory of a file that passes through."""


class UploadChangedError(Exception):
    """What the store holds is not what was sealed."""


class UploadStore(Protocol):
    """Keeps the parts of uploads; `upload.id` names them."""

    def begin(self, upload: Upload) -> str:
        """Make ready to take parts; returns what the store calls the upload (may be empty)."""

    def part_urls(self, upload: Upload, origin: str) -> list[str]:
        """The address of every part, in order, to which a client PUTs exactly that part."""

    def urls_expire_at(self, upload: Upload) -> datetime:
        """Until when addresses made now can be used."""

    def received(self, upload: Upload) -> set[int]:
        """Numbers of the parts that have arrived whole."""

    def seal(self, upload: Upload) -> str | None:
        """Make one unchangeable file of the parts; returns its identity, or None if some are missing."""

    def read_into(self, upload: Upload, target: IO[bytes]) -> None:
        """Copy the sealed file, once, in chunks.

        Raises:
            UploadChangedError: it is gone or not the one that was sealed.
        """

    def discard(self, uploads: Sequence[Upload]) -> None:
        """Remove all traces; what is gone already is fine."""
