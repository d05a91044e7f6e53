"""Builders of images, whole and broken."""

import io
import random
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageCms

from . import raw
from .case import Colour, Place

_PORTRAIT = Path(__file__).parents[1] / "media" / "portrait-astronaut.jpg"
RED, GREEN, BLUE, YELLOW = (220, 40, 40), (40, 180, 60), (40, 60, 200), (230, 210, 40)
WHITE = (255, 255, 255)
SIZE = (320, 240)
CORNERS: dict[Place, Colour] = {(0.2, 0.2): RED, (0.8, 0.2): GREEN, (0.2, 0.8): BLUE, (0.8, 0.8): YELLOW}
"""Where `quadrants` has which colour."""

_T = Image.Transpose
_LAID_DOWN = {
    1: None,
    2: _T.FLIP_LEFT_RIGHT,
    3: _T.ROTATE_180,
    4: _T.FLIP_TOP_BOTTOM,
    5: _T.TRANSPOSE,
    6: _T.ROTATE_90,
    7: _T.TRANSVERSE,
    8: _T.ROTATE_270,
}
"""How a camera that writes this orientation stores an upright picture: the way back from it."""


def quadrants(size: tuple[int, int] = SIZE) -> Image.Image:
    """Four colours, so that turns, mirrors and colour errors all show."""
    image = Image.new("RGB", size, RED)
    width, height = size
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """`image` as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@cache
def portrait() -> bytes:
    """A real portrait, 512 × 512 JPEG."""
    return _PORTRAIT.read_bytes()


@cache
def plain(kind: str = "JPEG") -> bytes:
    """The quadrants, whole."""
    return saved(quadrants(), kind, **({"quality": 95} if kind == "JPEG" else {}))


@cache
def photo_png() -> bytes:
    """The real portrait as PNG, so that there is data to cut and to damage."""
    return saved(Image.open(io.BytesIO(portrait())).convert("RGB"), "PNG")


@cache
def photo_webp() -> bytes:
    """The real portrait as WebP."""
    return saved(Image.open(io.BytesIO(portrait())).convert("RGB"), "WEBP", quality=90)


def exif_turned(orientation: int) -> bytes:
    """Quadrants stored as a camera held another way stores them."""
    stored = quadrants()
    if (step := _LAID_DOWN[orientation]) is not None:
        stored = stored.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(stored, "JPEG", quality=95, exif=exif)


def with_app(marker: int, body: bytes, base: bytes | None = None) -> bytes:
    """A JPEG with one more application segment."""
    base = plain() if base is None else base
    return base[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + base[2:]


def cmyk(*, adobe: bool) -> bytes:
    """Quadrants in inks: inverted with Adobe's marker as Photoshop writes them, or straight without it."""
    inks = quadrants().convert("CMYK")
    if adobe:
        return saved(inks, "JPEG", quality=95)
    data = saved(ImageChops.invert(inks), "JPEG", quality=95)
    at = data.index(b"\xff\xee")
    (length,) = struct.unpack(">H", data[at + 2 : at + 4])
    return data[:at] + data[at + 2 + length :]


def swapped_profile() -> bytes:
    """An ICC profile whose red and blue primaries are exchanged: honouring it exchanges the colours."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    return profile.replace(b"rXYZ", b"?XYZ", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"?XYZ", b"bXYZ", 1)


def with_icc(profile: bytes) -> bytes:
    """Quadrants as JPEG with this profile in as many segments as it needs."""
    return saved(quadrants(), "JPEG", quality=95, icc_profile=profile)


def png16(colour: int, *values: int) -> bytes:
    """A flat 16-bit PNG of 256 × 256."""
    return raw.png(256, 256, 16, colour, struct.pack(f">{len(values)}H", *values) * 256 * 256)


def png_bomb_in(chunk: bytes) -> bytes:
    """A small picture with a text or profile chunk that unpacks to 200 MB."""
    packer = zlib.compressobj(9)
    zeros = bytes(1 << 20)
    packed = b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()
    return raw.png(200, 200, 8, raw.GREY, bytes(200 * 200), (raw.png_chunk(chunk, b"bomb\0\0" + packed),))


def with_alpha(kind: str) -> bytes:
    """Quadrants whose right half is fully transparent, over black."""
    image = quadrants().convert("RGBA")
    image.paste((0, 0, 0, 0), (SIZE[0] // 2, 0, *SIZE))
    return saved(image, kind, **({"lossless": True} if kind == "WEBP" else {}))


def palette_with_holes() -> bytes:
    """A palette PNG in which one entry is transparent."""
    image = quadrants().quantize(4, dither=Image.Dither.NONE)
    hole = image.getpixel((SIZE[0] - 10, 10))
    return saved(image, "PNG", transparency=bytes(0 if i == hole else 255 for i in range(4)))


def colour_key() -> bytes:
    """An RGB PNG that names one colour as transparent."""
    return saved(quadrants(), "PNG", transparency=GREEN)


def grey_alpha() -> bytes:
    """Grey 100, transparent in its right half."""
    row = bytes((100, 255)) * 128 + bytes((100, 0)) * 128
    return raw.png(256, 256, 8, raw.GREY_ALPHA, row * 256)


def animated(kind: str) -> bytes:
    """Three frames."""
    frames = [quadrants(), quadrants().rotate(90), quadrants().rotate(180)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def huge(width: int, height: int, kind: str) -> bytes:
    """Quadrants of many pixels in few bytes."""
    return saved(
        quadrants((width, height)), kind, **({"quality": 60} if kind == "JPEG" else {"compress_level": 1})
    )


def jpeg_claiming(width: int, height: int) -> bytes:
    """A JPEG whose frame header lies about its size."""
    data = bytearray(plain())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated, each repetition costing a pass over the picture."""
    data = saved(quadrants(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + b"\xff\xd9"


def webp_claiming(width: int, height: int) -> bytes:
    """An extended WebP whose canvas is far larger than its picture."""
    inner = plain("WEBP")[12:]
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + raw.riff_chunk(b"VP8X", bytes(4) + canvas) + inner
    return b"RIFF" + struct.pack("<I", len(body)) + body


def damaged_png() -> bytes:
    """A PNG whose packed data has a changed middle."""
    data = bytearray(photo_png())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    return bytes(data)


def noise(count: int, head: bytes = b"") -> bytes:
    """The same random bytes each time."""
    return head + random.Random(7).randbytes(count)
