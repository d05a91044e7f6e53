"""Turns any decoded Pillow image into upright, bounded, opaque 8-bit sRGB."""

import io
import math

from PIL import Image, ImageChops, ImageCms

BACKGROUND = (255, 255, 255)
"""Transparent portraits stand on white: what a page shows behind them, and what identity photos have."""

_MAX_PROFILE_BYTES = 4_000_000
_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
_STRIP_PIXELS = 2_000_000
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what makes the picture upright (CIPA DC-008, tag 0x0112)."""


def orientation(image: Image.Image) -> int:
    """The EXIF (or XMP) orientation, 1 to 8; 1 when there is none or the metadata is garbage."""
    try:
        value = image.getexif().get(0x0112, 1)
        return value if value in _TURNS else 1
    except Exception:  # noqa: BLE001 - metadata is optional, and its readers raise almost anything
        return 1


def turn_upright(image: Image.Image, value: int) -> Image.Image:
    """Apply an EXIF orientation."""
    return image.transpose(_TURNS[value]) if value in _TURNS else image


def shrink(image: Image.Image, max_side: int) -> Image.Image:
    """Flatten to RGB, L or CMYK without alpha and scale the long side down to `max_side` (never up).

    Images that need flattening are worked on in strips, so that no second full copy exists.
    """
    width, height = image.size
    scale = min(1.0, max_side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if image.mode not in ("RGB", "L", "CMYK") or "transparency" in image.info or image.mode == "CMYK":
        image = _flatten_in_strips(image, max(1, math.floor(1 / scale)))
    if image.size == size:
        return image
    # Hamming is as sharp as bicubic here for half the time; the gap lets whole factors be averaged first.
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=1.2)


def _flatten_in_strips(image: Image.Image, factor: int) -> Image.Image:
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // width // factor) * factor
    result: Image.Image | None = None
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        flat = _flatten(strip)
        if factor > 1:
            flat = flat.reduce(factor)
        if result is None:
            result = Image.new(flat.mode, (flat.width, math.ceil(height / factor)))
        result.paste(flat, (0, top // factor))
    if result is None:
        raise ValueError("an image without rows")
    return result


def _flatten(strip: Image.Image) -> Image.Image:
    """One strip as RGB, L or CMYK in 8 bits; alpha lies on `BACKGROUND`."""
    if strip.mode.startswith("I"):
        # Pillow clips 16 bits to 8 when it converts; the picture needs its high byte.
        return strip.point(lambda value: value * (1 / 256)).convert("L")
    if strip.mode == "CMYK":
        # Pillow takes every CMYK JPEG for one of Adobe's, which store the inks inverted.
        return strip if "adobe" in strip.info else ImageChops.invert(strip)
    if strip.mode in ("1", "L") and "transparency" not in strip.info:
        return strip.convert("L")
    if strip.mode == "P" and "transparency" not in strip.info and strip.getpalette("RGB") is not None:
        return strip.convert("RGB")
    with_alpha = strip.convert("RGBA")
    flat = Image.new("RGB", strip.size, BACKGROUND)
    flat.paste(with_alpha, mask=with_alpha.getchannel("A"))
    return flat


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an opaque RGB, L or CMYK image to sRGB by its ICC profile.

    A profile that is missing, huge, broken or made for another colour model is ignored.
    """
    if profile and len(profile) <= _MAX_PROFILE_BYTES:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space == _PROFILE_SPACES[image.mode] and not _is_srgb(source):
                converted = ImageCms.profileToProfile(
                    image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
                )
                if converted is not None:
                    return converted
        except Exception:  # noqa: BLE001 - a broken profile must not cost the user the picture
            return image.convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    description = profile.profile.profile_description or ""
    return description.startswith("sRGB")
