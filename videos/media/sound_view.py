"""What FFmpeg is shown of a recording: its sound, and nothing that its demuxers would unpack beside it.

They read all tags before we see anything, and one of 100 kB can unpack to 100 MB of text (ID3v2.4 frames
are zlib).
"""

import os
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True)
class SoundView:
    """`head`, made by us, in front of the bytes `start` to `end` of the file."""

    head: bytes
    start: int
    end: int


class SourceFile:
    """The calls FFmpeg needs, and no name by which the file could be found again."""

    def __init__(self, file: BinaryIO, view: SoundView) -> None:
        self._file, self._view = file, view
        self._size = len(view.head) + max(0, view.end - view.start)
        self._at = 0

    def read(self, size: int) -> bytes:
        size = max(0, min(size, self._size - self._at))
        data = self._view.head[self._at : self._at + size]
        if len(data) < size:
            self._file.seek(self._view.start + self._at + len(data) - len(self._view.head))
            data += self._file.read(size - len(data))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        # FFmpeg also asks for the size by a number of its own; it goes to the end when that is refused.
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(offset)
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at
