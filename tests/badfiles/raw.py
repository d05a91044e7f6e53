"""Writers of PNG, RIFF and MP4 pieces that no library would write this way."""

import struct
import zlib

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def png_chunk(name: bytes, body: bytes) -> bytes:
    """A chunk with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    width: int, height: int, depth: int, colour: int, rows: bytes, extra: tuple[bytes, ...] = ()
) -> bytes:
    """A PNG of these `rows` (each without its filter byte), with `extra` chunks before the data."""
    stride = len(rows) // height if height else 0
    lines = b"".join(b"\0" + rows[i * stride : (i + 1) * stride] for i in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [
        png_chunk(b"IHDR", header),
        *extra,
        png_chunk(b"IDAT", zlib.compress(lines)),
        png_chunk(b"IEND", b""),
    ]
    return PNG_MAGIC + b"".join(chunks)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few kB whose data really unpacks to `width` × `height` black grey pixels."""
    packer = zlib.compressobj(9)
    line = bytes(1 + width)
    data = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, GREY, 0, 0, 0)
    return PNG_MAGIC + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def riff_chunk(name: bytes, body: bytes) -> bytes:
    """A RIFF chunk, padded to an even length."""
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def wav(
    samples: bytes,
    *,
    rate: int,
    channels: int = 1,
    bits: int = 16,
    tag: int = 1,
    declared: int | None = None,
    before: bytes = b"",
    extensible: bytes = b"",
) -> bytes:
    """A WAV of raw `samples`; `declared` replaces the size of the data, `before` are chunks ahead of it.

    `extensible` is the 16-byte sub-format of a WAVE_FORMAT_EXTENSIBLE header.
    """
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * block & 0xFFFFFFFF, block & 0xFFFF, bits)
    if extensible:
        form += struct.pack("<HHI", 22, bits, 0) + extensible
    size = len(samples) if declared is None else declared
    body = b"WAVE" + riff_chunk(b"fmt ", form) + before + b"data" + struct.pack("<I", size) + samples
    return b"RIFF" + struct.pack("<I", min(0xFFFFFFFF, len(body) if declared is None else declared)) + body


def id3(frames: bytes) -> bytes:
    """An ID3v2.3 tag around `frames`."""
    return b"ID3\3\0\0" + _syncsafe(len(frames)) + frames


def id3_picture(picture: bytes) -> bytes:
    """An APIC frame with a JPEG cover."""
    body = b"\0image/jpeg\0\3\0" + picture
    return b"APIC" + struct.pack(">IH", len(body), 0) + body


def id3_unpacking(frames: int, megabytes: int) -> bytes:
    """An ID3v2.4 tag of some kB whose texts unpack to so many megabytes each."""
    body = b""
    for number in range(frames):
        text = b"\0key %d\0" % number + b"A" * (megabytes * 1_000_000)
        packed = zlib.compress(text, 1)
        content = _syncsafe(len(text)) + packed
        body += b"TXXX" + _syncsafe(len(content)) + b"\0\x09" + content  # compressed, with its length
    return b"ID3\4\0\0" + _syncsafe(len(body)) + body


def _syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def ape(content: bytes) -> bytes:
    """An APEv2 tag, with its header, around one binary item."""
    items = struct.pack("<II", len(content), 2) + b"Cover Art (Front)\0" + content
    ends = [
        b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, 1, flags) + bytes(8)
        for flags in (0xA0000000, 0x80000000)
    ]
    return ends[0] + items + ends[1]


def rf64(samples: bytes, *, rate: int, declared: int | None = None, after: bytes = b"") -> bytes:
    """A mono 16-bit RF64, which tells its size (or `declared`) in a chunk of its own; `after` follows."""
    size = len(samples) if declared is None else declared
    sizes = riff_chunk(b"ds64", struct.pack("<QQQI", 0, size, size // 2, 0))
    form = riff_chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16))
    return b"RF64\xff\xff\xff\xffWAVE" + sizes + form + b"data\xff\xff\xff\xff" + samples + after
