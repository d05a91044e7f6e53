"""Reads an image's type and size from its header alone, before any decoder sees the file.

Pillow's WebP reader allocates its canvases when it opens a file, and libjpeg keeps the coefficients of a
whole progressive image, so size and cost must be known first. Formats: the PNG specification (W3C) and
RFC 9649 (WebP).
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import BinaryIO

from .image_facts import ImageHeader
from .jpeg_markers import read_jpeg_header
from .problems import MediaProblem
from .sniffing import describe

HEAD_BYTES = 1024
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Survey:
    """What one pass over all bytes tells: their number and their SHA-256 in hex."""

    size: int
    sha256: str


def survey(file: BinaryIO, *, max_bytes: int) -> Survey:
    """Read `file` once from its start in 1 MB pieces; raises `image_empty` or `image_too_large`."""
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > max_bytes:
            raise MediaProblem("image_too_large", {"limit_mb": round(max_bytes / 1e6, 1)})
        digest.update(chunk)
    if size == 0:
        raise MediaProblem("image_empty")
    return Survey(size, digest.hexdigest())


def read_header(file: BinaryIO) -> ImageHeader:
    """Find type and size; raises `image_type`, `image_truncated` or `image_unreadable`."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    try:
        if head.startswith(b"\xff\xd8\xff"):
            return read_jpeg_header(file)
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png_header(head)
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return _webp_header(file, head)
    except (struct.error, IndexError) as error:
        raise MediaProblem("image_truncated") from error
    raise MediaProblem("image_type", {"found": describe(head)})


def _png_header(head: bytes) -> ImageHeader:
    if len(head) < 33:
        raise MediaProblem("image_truncated")
    if head[12:16] != b"IHDR":
        raise MediaProblem("image_unreadable")
    width, height, depth, colour = struct.unpack(">IIBB", head[16:26])
    # Pillow's own storage, plus a second copy where alpha or a palette has to be flattened.
    cost = {0: 2.0 if depth < 16 else 3.0, 2: 4.0, 3: 5.0, 4: 8.0, 6: 8.0}.get(colour)
    if cost is None:
        raise MediaProblem("image_unreadable")
    return ImageHeader("PNG", width, height, cost)


def _webp_header(file: BinaryIO, head: bytes) -> ImageHeader:
    (declared,) = struct.unpack("<I", head[4:8])
    if file.seek(0, 2) < declared + 8:
        raise MediaProblem("image_truncated")
    kind = head[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(head[24:27], "little")
        height = 1 + int.from_bytes(head[27:30], "little")
    elif kind == b"VP8L":
        (bits,) = struct.unpack("<I", head[21:25])
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (value & 0x3FFF for value in struct.unpack("<HH", head[26:30]))
    else:
        raise MediaProblem("image_unreadable")
    # Two canvases of the animation decoder, its answer, and Pillow's image: four times RGBA.
    return ImageHeader("WEBP", width, height, 16.0)
