"""Walks the markers of a JPEG (ITU-T T.81 annex B): its size, and how many passes decoding it takes."""

import re
import struct
from dataclasses import replace
from typing import BinaryIO

from .image_facts import ImageHeader
from .problems import MediaProblem

MAX_SCANS = 64
"""Encoders write about 10; a few kB of repeated scans could keep a decoder busy for hours."""

_SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ARITHMETIC = 8  # this bit of a frame marker
_SOS, _EOI = 0xDA, 0xD9
_STANDALONE_MARKERS = frozenset(range(0xD0, 0xD9)) | {0x01}
_MAX_SEGMENTS = 20_000
_MAX_JUNK_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 16
_MARKER_IN_DATA = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # a coded FF is followed by 00 or is a restart


def read_jpeg_header(file: BinaryIO) -> ImageHeader:
    """Size, cost and scans; raises `image_truncated`, `image_unreadable` or `image_too_complex`."""
    header: ImageHeader | None = None
    file.seek(2)
    for _ in range(_MAX_SEGMENTS):
        marker = _next_marker(file)
        if marker in _STANDALONE_MARKERS:
            continue
        if marker in (_SOS, _EOI):
            break
        (length,) = struct.unpack(">H", file.read(2))
        body_start = file.tell()
        if marker in _SOF_MARKERS:
            # Readers disagree on which of two frame headers counts, so there may be one only.
            if header is not None:
                raise MediaProblem("image_unreadable")
            header = _frame(marker, file.read(length - 2))
        file.seek(body_start + max(0, length - 2))
    if header is None or marker != _SOS:
        raise MediaProblem("image_unreadable")
    in_scan = file.read(3)[2]
    return replace(header, buffered=header.buffered or in_scan < header.components, scans=_count_scans(file))


def _frame(marker: int, body: bytes) -> ImageHeader:
    height, width, count = struct.unpack(">xHHB", body[:6])
    factors = [(body[7 + 3 * i] >> 4, body[7 + 3 * i] & 15) for i in range(count)]
    largest = max((h for h, _ in factors), default=0) * max((v for _, v in factors), default=0)
    if not largest:
        raise MediaProblem("image_unreadable")
    samples = sum(h * v for h, v in factors) / largest
    progressive = marker & 3 == 2
    # Each block of 8 × 8 needs two Huffman codes of at least a bit, in a progressive file one. libjpeg
    # paints what is missing before an end marker in grey without a word, so gross lies are caught here.
    bits = 0 if marker & _ARITHMETIC else 1 if progressive else 2
    return ImageHeader(
        "JPEG",
        width,
        height,
        bytes_per_pixel=2 * samples,
        components=count,
        buffered=progressive,
        min_bytes=int(width * height / 64 * samples * bits / 8),
    )


def _next_marker(file: BinaryIO) -> int:
    """Skip to the next marker as Pillow does: over junk and fill bytes."""
    skipped = 0
    while skipped < _MAX_JUNK_BYTES:
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


def _count_scans(file: BinaryIO) -> int:
    """Scans from here, the first included, to the end marker; raises `image_too_complex`."""
    scans = 1
    for _ in range(_MAX_SEGMENTS):
        marker = _marker_after_data(file)
        if marker in (_EOI, None):
            return scans
        scans += marker == _SOS
        if scans > MAX_SCANS:
            break
        length = file.read(2)
        if len(length) < 2:
            return scans
        file.seek(max(0, int.from_bytes(length, "big") - 2), 1)
    raise MediaProblem("image_too_complex")


def _marker_after_data(file: BinaryIO) -> int | None:
    """Skip coded data; the file stands behind the marker found. None at its end."""
    last = b""
    while chunk := file.read(_CHUNK_BYTES):
        chunk = last + chunk
        if found := _MARKER_IN_DATA.search(chunk):
            file.seek(found.end() - len(chunk), 1)
            return chunk[found.end() - 1]
        last = b"\xff" if chunk.endswith(b"\xff") else b""
    return None
