"""Reads an image's type and size from its header alone, before any decoder sees the file.

Pillow's WebP reader allocates its canvases when it opens a file, and libjpeg keeps the coefficients of a
whole progressive image, so size and cost must be known first. Formats: ITU-T T.81 annex B (JPEG),
the PNG specification (W3C), RFC 9649 (WebP).
"""

import hashlib
import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

from .problems import MediaProblem
from .sniffing import describe

HEAD_BYTES = 1024
_CHUNK_BYTES = 1 << 20
_SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOS, _EOI = 0xDA, 0xD9
_STANDALONE_MARKERS = frozenset(range(0xD0, 0xD9)) | {0x01}
_MAX_JPEG_SEGMENTS = 20_000


@dataclass(frozen=True)
class ImageHeader:
    """Type, stored size in pixels, and the decoder's memory per stored pixel in bytes.

    A `buffered` JPEG (progressive, or with its components in scans of their own) costs `bytes_per_pixel`
    beside the reduced picture; any other JPEG costs the reduced picture alone.
    """

    format: str
    width: int
    height: int
    bytes_per_pixel: float
    components: int = 0
    buffered: bool = False


@dataclass(frozen=True)
class Survey:
    """What one pass over all bytes tells: size, SHA-256 in hex, and an upper bound of JPEG scans."""

    size: int
    sha256: str
    jpeg_scans: int


def survey(file: BinaryIO, *, max_bytes: int) -> Survey:
    """Read `file` once from its start in 1 MB pieces; raises `image_empty` or `image_too_large`."""
    file.seek(0)
    digest, size, scans, last = hashlib.sha256(), 0, 0, b""
    while chunk := file.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > max_bytes:
            raise MediaProblem("image_too_large", {"limit_mb": round(max_bytes / 1e6, 1)})
        digest.update(chunk)
        # Entropy-coded data never holds FF followed by DA, so each one is a scan or lies in metadata.
        scans += chunk.count(b"\xff\xda") + (last + chunk[:1] == b"\xff\xda")
        last = chunk[-1:]
    if size == 0:
        raise MediaProblem("image_empty")
    return Survey(size, digest.hexdigest(), scans)


def read_header(file: BinaryIO) -> ImageHeader:
    """Find type and size; raises `image_type`, `image_truncated` or `image_unreadable`."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    try:
        if head.startswith(b"\xff\xd8\xff"):
            return _jpeg_header(file)
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png_header(head)
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return _webp_header(file, head)
    except (struct.error, IndexError) as error:
        raise MediaProblem("image_truncated") from error
    raise MediaProblem("image_type", {"found": describe(head)})


def _jpeg_header(file: BinaryIO) -> ImageHeader:
    header: ImageHeader | None = None
    file.seek(2)
    for _ in range(_MAX_JPEG_SEGMENTS):
        marker = _next_marker(file)
        if marker in _STANDALONE_MARKERS:
            continue
        if marker in (_SOS, _EOI):
            if header is None:
                break
            in_scan = file.read(3)[2] if marker == _SOS else header.components
            return replace(header, buffered=header.buffered or in_scan < header.components)
        (length,) = struct.unpack(">H", file.read(2))
        if marker in _SOF_MARKERS:
            frame = _jpeg_frame(marker, file.read(length - 2))
            # Readers disagree on which of two frame headers counts, so there may be one only.
            if header is not None:
                break
            header = frame
        else:
            file.seek(max(0, length - 2), 1)
    raise MediaProblem("image_unreadable")


def _next_marker(file: BinaryIO) -> int:
    """Skip to the next marker as Pillow does: over junk and fill bytes."""
    skipped = 0
    while skipped < _CHUNK_BYTES:
        byte = file.read(1)
        if not byte:
            raise MediaProblem("image_truncated")
        if byte == b"\xff":
            while (code := file.read(1)) == b"\xff":
                skipped += 1
            if not code:
                raise MediaProblem("image_truncated")
            if code != b"\0":
                return code[0]
        skipped += 1
    raise MediaProblem("image_unreadable")


def _jpeg_frame(marker: int, body: bytes) -> ImageHeader:
    height, width, count = struct.unpack(">xHHB", body[:6])
    factors = [(body[7 + 3 * i] >> 4, body[7 + 3 * i] & 15) for i in range(count)]
    largest = max((h for h, _ in factors), default=0) * max((v for _, v in factors), default=0)
    if not largest:
        raise MediaProblem("image_unreadable")
    coefficients = 2.0 * sum(h * v for h, v in factors) / largest
    return ImageHeader("JPEG", width, height, coefficients, components=count, buffered=marker & 3 == 2)


def _png_header(head: bytes) -> ImageHeader:
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
