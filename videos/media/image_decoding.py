"""Decodes one image file whole into the encoded portrait and thumbnail, and says beforehand what it costs.

Everything a client can put into a file ends as a `MediaProblem`.
"""

import io
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from .header_reading import Survey, read_header, survey
from .image_facts import ImageHeader
from .pixels import orientation, shrink, to_srgb, turn_upright
from .problems import MediaProblem

_READERS: dict[str, type[Image.Image]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
}
_DRAFT_SLACK = 0.9  # a portrait may end up this much below `max_side_out` for a decode of half the size
_JPEG_QUALITY = 92
_THUMBNAIL_QUALITY = 82
_WORKING_BYTES_PER_PIXEL = 8  # of the result: its picture, and the encoder's buffers


@dataclass(frozen=True)
class ImageLimits:
    """What is accepted (bytes, stored pixels, px) and how large the results become (px)."""

    max_bytes: int = 20_000_000
    max_pixels: int = 50_000_000
    min_side: int = 128
    max_aspect: float = 5.0
    max_side_out: int = 2048
    thumbnail_side: int = 480


DEFAULT_IMAGE_LIMITS = ImageLimits()


@dataclass(frozen=True)
class PreparedImage:
    """Facts about an accepted image: result and upright source size (px), JPEG/PNG/WEBP, source SHA-256."""

    width: int
    height: int
    source_width: int
    source_height: int
    format: str
    sha256: str


@dataclass(frozen=True)
class CheckedImage:
    """A file that may be decoded: its header, what reading all of it told, and its cost in bytes."""

    header: ImageHeader
    facts: Survey
    decode_bytes: int


@dataclass(frozen=True)
class DecodedImage:
    """Two JPEG files and the facts about them."""

    portrait: bytes
    thumbnail: bytes
    prepared: PreparedImage


def check_image(file: BinaryIO, limits: ImageLimits) -> CheckedImage:
    """Judge `file` by its bytes and header, before any decoder sees it; raises `MediaProblem`."""
    facts = survey(file, max_bytes=limits.max_bytes)
    header = read_header(file)
    _check_header(header, limits)
    if facts.size < header.min_bytes:
        raise MediaProblem("image_truncated")
    return CheckedImage(header, facts, _estimated_bytes(header, facts, limits))


def decode_image(file: BinaryIO, checked: CheckedImage, limits: ImageLimits) -> DecodedImage:
    """Decode a checked file; raises `MediaProblem`."""
    try:
        return _decode(file, checked.header, checked.facts, limits)
    except MediaProblem:
        raise
    except MemoryError as error:
        raise MediaProblem("image_too_complex") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error, …
        raise MediaProblem(_decoder_code(error)) from error


def _check_header(header: ImageHeader, limits: ImageLimits) -> None:
    """Refuse by the declared size alone, before anything is decoded."""
    size: dict[str, str | int | float] = {"width": header.width, "height": header.height}
    short, long = sorted((header.width, header.height))
    if short == 0:
        raise MediaProblem("image_unreadable")
    if header.width * header.height > limits.max_pixels:
        raise MediaProblem("image_too_many_pixels", size | {"limit_mpx": round(limits.max_pixels / 1e6, 1)})
    if short < limits.min_side:
        raise MediaProblem("image_too_small", size | {"limit_px": limits.min_side})
    if long > short * limits.max_aspect:
        raise MediaProblem("image_too_narrow", size | {"limit_ratio": limits.max_aspect})


def _estimated_bytes(header: ImageHeader, facts: Survey, limits: ImageLimits) -> int:
    """Peak memory of decoding and converting one image, in bytes, from above."""
    scale = _draft_scale(header, limits)
    pixels = header.width * header.height / scale**2
    ratio = max(header.width, header.height) / scale / limits.max_side_out
    if header.format == "JPEG":
        decoder = 4 * pixels + header.buffered * header.bytes_per_pixel * header.width * header.height
    else:
        decoder = header.bytes_per_pixel * pixels + (header.format == "WEBP") * 2 * facts.size
    resizing = 4 * pixels / ratio if ratio > 1 else 0.0  # rows of their new width, columns of the old height
    return int(decoder + resizing + _WORKING_BYTES_PER_PIXEL * pixels / max(1.0, ratio) ** 2)


def _draft_scale(header: ImageHeader, limits: ImageLimits) -> int:
    """The divisor (1, 2, 4, 8) that libjpeg applies while decoding, so that enough pixels remain."""
    if header.format != "JPEG":
        return 1
    wanted = limits.max_side_out * _DRAFT_SLACK
    return next((s for s in (8, 4, 2) if max(header.width, header.height) / s >= wanted), 1)


def _decode(file: BinaryIO, header: ImageHeader, facts: Survey, limits: ImageLimits) -> DecodedImage:
    file.seek(0)
    # The readers are called directly: `Image.open` would load further plugins and warn about sizes
    # that `check_image` has already judged.
    image = _READERS[header.format](file)  # type: ignore[call-arg]
    if image.size != (header.width, header.height):
        raise MediaProblem("image_unreadable")
    if getattr(image, "is_animated", False):
        raise MediaProblem("image_animated")
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        scale = _draft_scale(header, limits)
        image.draft(None, (header.width // scale, header.height // scale))
    image.load()
    turn, profile = orientation(image), image.info.get("icc_profile")
    small = shrink(image, limits.max_side_out)
    del image
    portrait = turn_upright(to_srgb(small, profile), turn)
    thumbnail = shrink(portrait, limits.thumbnail_side)
    source_size = (header.height, header.width) if turn >= 5 else (header.width, header.height)
    return DecodedImage(
        portrait=_as_jpeg(portrait, _JPEG_QUALITY, 0),
        thumbnail=_as_jpeg(thumbnail, _THUMBNAIL_QUALITY, 2),
        prepared=PreparedImage(*portrait.size, *source_size, header.format, facts.sha256),
    )


def _as_jpeg(image: Image.Image, quality: int, subsampling: int) -> bytes:
    """4:4:4 (`subsampling` 0) keeps lips and eyes crisp through the video's own chroma subsampling."""
    # A bare copy of the pixels: `save` would otherwise write comments that travel in `info`.
    image.info = {}
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


def _decoder_code(error: Exception) -> str:
    text = str(error).lower()
    return "image_truncated" if "truncated" in text or isinstance(error, EOFError) else "image_unreadable"
