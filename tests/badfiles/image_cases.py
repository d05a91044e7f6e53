"""Odd and broken images. A name's end is what the client claims; the content decides."""

from collections.abc import Callable
from functools import partial

from PIL import Image

from . import pictures as p
from . import raw
from .case import Case, Colour, ImageAnswer, Place

_SWAPPED: dict[Place, Colour] = {(0.2, 0.2): (40, 40, 220), (0.2, 0.8): (200, 60, 40)}
_RIGHT_WHITE: dict[Place, Colour] = {
    (0.2, 0.2): p.RED,
    (0.8, 0.2): p.WHITE,
    (0.2, 0.8): p.BLUE,
    (0.8, 0.8): p.WHITE,
}


def _bad(name: str, code: str, build: Callable[[], bytes], slug: str = "") -> Case:
    return Case(slug or name, name, "image", build, code)


def _good(
    name: str,
    build: Callable[[], bytes],
    *,
    size: tuple[int, int] = p.SIZE,
    kind: str = "JPEG",
    colours: dict[Place, Colour] | None = None,
    slug: str = "",
) -> Case:
    answer = ImageAnswer(*size, kind, p.CORNERS if colours is None else colours)
    return Case(slug or name, name, "image", build, None, answer)


def _cut(build: Callable[[], bytes], share: float) -> Callable[[], bytes]:
    return lambda: build()[: int(len(build()) * share)]


def _grey(value: int) -> dict[Place, Colour]:
    return {(0.2, 0.5): (value, value, value)}


_TRUNCATED = (
    _bad("jpeg-of-zero-bytes.jpg", "image_empty", bytes),
    _bad("jpeg-magic-only.jpg", "image_truncated", lambda: b"\xff\xd8\xff"),
    _bad("jpeg-cut-in-header.jpg", "image_truncated", lambda: p.portrait()[:100]),
    _bad("jpeg-cut-in-half.jpg", "image_truncated", _cut(p.portrait, 0.5)),
    _bad("jpeg-cut-near-end.jpg", "image_truncated", _cut(p.portrait, 0.97)),
    _bad("progressive-cut.jpg", "image_truncated", _cut(lambda: p.jpeg_with_scans(0), 0.8)),
    _bad("png-magic-only.png", "image_truncated", lambda: raw.PNG_MAGIC),
    _bad("png-cut-in-half.png", "image_truncated", _cut(p.photo_png, 0.5)),
    _bad("png-cut-near-end.png", "image_truncated", _cut(p.photo_png, 0.99)),
    _bad("webp-cut-in-half.webp", "image_truncated", _cut(p.photo_webp, 0.5)),
    _bad("webp-cut-near-end.webp", "image_truncated", _cut(p.photo_webp, 0.99)),
    _bad("png-damaged-middle.png", "image_unreadable", p.damaged_png),
    _bad("jpeg-then-noise.jpg", "image_truncated", lambda: p.noise(50_000, b"\xff\xd8\xff\xe0")),
    _bad("png-then-noise.png", "image_unreadable", lambda: p.noise(50_000, raw.PNG_MAGIC)),
)

_RENAMED = (
    _bad("gif.jpg", "image_type", lambda: p.saved(p.quadrants(), "GIF")),
    _bad("gif-animated.png", "image_type", lambda: p.animated("GIF")),
    _bad("bmp.jpg", "image_type", lambda: p.saved(p.quadrants(), "BMP")),
    _bad("tiff.png", "image_type", lambda: p.saved(p.quadrants(), "TIFF")),
    _bad("ico.png", "image_type", lambda: p.saved(p.quadrants((256, 256)), "ICO")),
    _bad("eps.png", "image_type", lambda: p.saved(p.quadrants(), "EPS")),
    _bad("avif.jpg", "image_type", lambda: p.saved(p.quadrants(), "AVIF")),
    _bad("heic.jpg", "image_type", lambda: b"\0\0\0\x18ftypheic" + bytes(500)),
    _bad("pdf.jpg", "image_type", lambda: p.saved(p.quadrants(), "PDF")),
    _bad(
        "svg.png",
        "image_type",
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    ),
    _bad("html.jpg", "image_type", lambda: b"<!doctype html><script>alert(1)</script>"),
    _bad("exe.jpg", "image_type", lambda: b"MZ" + bytes(2000)),
    _bad("zip.jpg", "image_type", lambda: b"PK\x03\x04" + bytes(200)),
    _bad("text.jpg", "image_type", lambda: "这不是图片".encode() * 100),
    _bad("gifar.jpg", "image_type", lambda: p.saved(p.quadrants(), "GIF") + b"PK\x03\x04" + bytes(99)),
    _good("jpeg.png", p.plain),
    _good("png.webp", partial(p.plain, "PNG"), kind="PNG"),
    _good("webp-without-ending", partial(p.plain, "WEBP"), kind="WEBP"),
)

_COSTLY = (
    _bad(
        "png-144-megapixels-in-20-kb.png", "image_too_many_pixels", partial(raw.png_claiming, 12_000, 12_000)
    ),
    _bad(
        "png-claims-2-gigapixels.png",
        "image_too_many_pixels",
        lambda: raw.png(2**31 - 1, 1, 8, raw.GREY, b"\0"),
    ),
    _bad("jpeg-claims-65500-squared.jpg", "image_too_many_pixels", partial(p.jpeg_claiming, 65_500, 65_500)),
    _bad("jpeg-claims-more-than-it-has.jpg", "image_truncated", partial(p.jpeg_claiming, 3_000, 3_000)),
    _bad("jpeg-claims-no-rows.jpg", "image_unreadable", partial(p.jpeg_claiming, 320, 0)),
    _bad("webp-canvas-16383-squared.webp", "image_too_many_pixels", partial(p.webp_claiming, 16_383, 16_383)),
    _bad("webp-canvas-unlike-picture.webp", "image_unreadable", partial(p.webp_claiming, 4_000, 3_000)),
    _bad("png-ztxt-bomb.png", "image_unreadable", partial(p.png_bomb_in, b"zTXt")),
    _bad("png-iccp-bomb.png", "image_unreadable", partial(p.png_bomb_in, b"iCCP")),
    _bad("jpeg-2000-scans.jpg", "image_too_complex", partial(p.jpeg_with_scans, 2000)),
    _good("jpeg-8000x6000.jpg", partial(p.huge, 8000, 6000, "JPEG"), size=(2000, 1500)),
    _good("png-8000x6000.png", partial(p.huge, 8000, 6000, "PNG"), size=(2048, 1536), kind="PNG"),
    _bad("jpeg-just-over-50-megapixels.jpg", "image_too_many_pixels", partial(p.jpeg_claiming, 8192, 6104)),
    _bad("jpeg-over-20-mb.jpg", "image_too_large", lambda: p.plain() + bytes(20_000_001 - len(p.plain()))),
    _good("jpeg-of-exactly-20-mb.jpg", lambda: p.plain() + bytes(20_000_000 - len(p.plain()))),
    _bad("too-small.jpg", "image_too_small", lambda: p.saved(p.quadrants((127, 300)), "JPEG")),
    _good(
        "just-large-enough.jpg", lambda: p.saved(p.quadrants((128, 128)), "JPEG", quality=95), size=(128, 128)
    ),
    _bad("one-pixel.png", "image_too_small", lambda: p.saved(p.quadrants((1, 1)), "PNG")),
    _bad("banner.jpg", "image_too_narrow", lambda: p.saved(p.quadrants((2000, 140)), "JPEG")),
)

_COLOURS = (
    _good("progressive.jpg", partial(p.jpeg_with_scans, 0)),
    _good("cmyk-adobe-inverted.jpg", partial(p.cmyk, adobe=True)),
    _good("cmyk-straight.jpg", partial(p.cmyk, adobe=False)),
    _good(
        "grey.jpg",
        lambda: p.saved(Image.new("L", (200, 200), 90), "JPEG"),
        size=(200, 200),
        colours=_grey(90),
    ),
    _good(
        "png-16-bit-grey.png",
        partial(p.png16, raw.GREY, 0x64FF),
        size=(256, 256),
        kind="PNG",
        colours=_grey(100),
    ),
    _good(
        "png-16-bit-rgb.png",
        partial(p.png16, raw.RGB, 0xC800, 0x3200, 0x0A00),
        size=(256, 256),
        kind="PNG",
        colours={(0.5, 0.5): (200, 50, 10)},
    ),
    _good(
        "png-16-bit-rgba.png",
        partial(p.png16, raw.RGBA, 0xC800, 0x3200, 0x0A00, 0xFFFF),
        size=(256, 256),
        kind="PNG",
        colours={(0.5, 0.5): (200, 50, 10)},
    ),
    _good(
        "png-grey-with-alpha.png",
        p.grey_alpha,
        size=(256, 256),
        kind="PNG",
        colours={(0.2, 0.5): (100, 100, 100), (0.8, 0.5): p.WHITE},
    ),
    _good(
        "png-one-bit.png",
        lambda: raw.png(256, 256, 1, raw.GREY, b"\xff" * 8192),
        size=(256, 256),
        kind="PNG",
        colours=_grey(255),
    ),
    _good("png-palette.png", lambda: p.saved(p.quadrants().quantize(8), "PNG"), kind="PNG"),
    _good(
        "png-palette-transparent.png",
        p.palette_with_holes,
        kind="PNG",
        colours={**p.CORNERS, (0.8, 0.2): p.WHITE},
    ),
    _good("png-colour-key.png", p.colour_key, kind="PNG", colours={**p.CORNERS, (0.8, 0.2): p.WHITE}),
    _good("png-alpha.png", partial(p.with_alpha, "PNG"), kind="PNG", colours=_RIGHT_WHITE),
    _good("webp-alpha.webp", partial(p.with_alpha, "WEBP"), kind="WEBP", colours=_RIGHT_WHITE),
    _good("icc-swapped-primaries.jpg", lambda: p.with_icc(p.swapped_profile()), colours=_SWAPPED),
    _good("icc-garbage.jpg", lambda: p.with_icc(p.noise(5_000))),
    _good("icc-of-5-mb.jpg", lambda: p.with_icc(p.noise(5_000_000))),
    _bad("webp-animated.webp", "image_animated", partial(p.animated, "WEBP")),
    _bad("apng-animated.png", "image_animated", partial(p.animated, "PNG")),
)

_METADATA = (
    *(_good(f"exif-orientation-{n}.jpg", partial(p.exif_turned, n)) for n in range(1, 9)),
    _good("exif-garbage.jpg", lambda: p.with_app(0xE1, p.noise(4_000, b"Exif\0\0"))),
    _good(
        "exif-loops.jpg",
        lambda: p.with_app(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08\0\0\0\x08"),
    ),
    _good("motion-photo.jpg", lambda: p.plain() + p.noise(6_000_000)),
    _good("jpeg-and-zip.jpg", lambda: p.plain() + b"PK\x03\x04payload" + bytes(200)),
    _good("jpeg-with-html.jpg", lambda: p.with_app(0xFE, b"<html><script>alert('payload')</script></html>")),
    _good("png-and-trailing-html.png", lambda: p.plain("PNG") + b"<script>payload</script>", kind="PNG"),
    _good(
        "two-pictures-in-one.jpg",
        lambda: p.saved(p.quadrants(), "MPO", save_all=True, append_images=[p.quadrants()], quality=95),
    ),
)

_NAMES = (
    _good("../../../etc/passwd.jpg", p.plain, slug="name-that-climbs"),
    _good("C:\\Windows\\win.ini.jpg", p.plain, slug="name-with-drive"),
    _good("照片 👩‍🎤 (1).jpg", p.plain, slug="name-in-chinese"),
    _good("a\r\nX-Injected: 1.jpg", p.plain, slug="name-with-line-break"),
    _good("nul\0byte.jpg", p.plain, slug="name-with-nul"),
    _good("<img src=x onerror=alert(1)>.jpg", p.plain, slug="name-with-markup"),
    _good("\u202egpj.exe", p.plain, slug="name-written-backwards"),
    _good("n" * 300 + ".jpg", p.plain, slug="name-of-304-characters"),
    _good(".jpg", p.plain, slug="name-of-ending-only"),
)

IMAGE_CASES: tuple[Case, ...] = _TRUNCATED + _RENAMED + _COSTLY + _COLOURS + _METADATA + _NAMES
