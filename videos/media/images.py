"""Turns an uploaded portrait into the upright sRGB JPEG the engines take, and a thumbnail."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .files import write_all
from .image_decoding import (
    DEFAULT_IMAGE_LIMITS,
    ImageLimits,
    PreparedImage,
    check_image,
    decode_image,
)
from .isolated import prepare_isolated
from .memory import WeightedGate, release_free_memory

__all__ = ["DEFAULT_IMAGE_LIMITS", "ImageLimits", "PreparedImage", "prepare_image"]

_MAX_BYTES_HERE = 72_000_000
"""An image that costs more to decode (bytes) is decoded in a child process."""

_HERE = WeightedGate(116_000_000)
"""Bytes that all decodes of this process may take together."""

_IN_CHILDREN = WeightedGate(1_000_000_000)
"""Bytes that all child processes may take together."""


def prepare_image(
    source: Path | BinaryIO,
    *,
    limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
    portrait_out: Path,
    thumbnail_out: Path,
) -> PreparedImage:
    """Decode `source` whole, write the portrait and its thumbnail, and say what was found.

    The portrait is an upright 8-bit sRGB JPEG (quality 92, 4:4:4, no metadata) with its long side at most
    `limits.max_side_out`; the thumbnail a JPEG of at most `limits.thumbnail_side`. Both appear whole or
    not at all. A seekable binary file is read from its start and left open.

    Raises `MediaProblem` for anything wrong with the file, OSError when source or folder is missing.
    """
    with _opened(source) as file:
        checked = check_image(file, limits)
        if checked.decode_bytes > _MAX_BYTES_HERE:
            with _IN_CHILDREN.holding(checked.decode_bytes):
                return prepare_isolated(file, checked.decode_bytes, limits, portrait_out, thumbnail_out)
        with _HERE.holding(checked.decode_bytes):
            decoded = decode_image(file, checked, limits)
            write_all({thumbnail_out: decoded.thumbnail, portrait_out: decoded.portrait})
            release_free_memory()
            return decoded.prepared


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        yield source
