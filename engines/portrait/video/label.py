"""The visible mark that says a video was generated.

GB 45438-2025 (labelling method for AI-generated content) asks of a video: text that names artificial
intelligence ("AI") and generation ("生成"), no lower than 5 % of the picture's shorter side, from the
first frame on. The mark here stays for the whole video, in a corner, light with a dark rim so that it
reads on any background. The font is the one built into OpenCV 5, which has Chinese glyphs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engines.base import EngineError
from engines.portrait.face.geometry import Rect
from engines.portrait.pixels import F32, U8, blur, halve, to_bytes
from engines.portrait.video.colour import BLACK, LUMA_RANGE, NEUTRAL, Planes

DEFAULT_TEXT = "AI 生成"
HEIGHT_SHARE = 0.05
"""Height of the characters as a share of the shorter side, the least the standard allows."""
MARGIN_SHARE = 0.025
DEFAULT_OPACITY = 0.8
MIN_OPACITY = 0.3
"""A mark fainter than this would not be one."""
CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")
DEFAULT_CORNER = "bottom-right"
RIM_STRENGTH = 0.65
FONT = "uni"
MAX_TEXT = 40
OFF = ("0", "false", "no", "off")


@dataclass(frozen=True)
class LabelSettings:
    """What the mark says and where. `enabled` False draws none."""

    enabled: bool = True
    text: str = DEFAULT_TEXT
    corner: str = DEFAULT_CORNER
    opacity: float = DEFAULT_OPACITY

    @staticmethod
    def from_options(options: Mapping[str, str]) -> "LabelSettings":
        """Read `label_enabled`, `label_text`, `label_corner`, `label_opacity`; raises `EngineError`."""
        corner = options.get("label_corner", "").strip().lower() or DEFAULT_CORNER
        if corner not in CORNERS:
            raise EngineError("label_corner", choices=", ".join(CORNERS), value=repr(corner))
        try:
            opacity = float(options.get("label_opacity", "") or DEFAULT_OPACITY)
        except ValueError:
            raise EngineError("label_opacity") from None
        return LabelSettings(
            enabled=options.get("label_enabled", "").strip().lower() not in OFF,
            text=options.get("label_text", "").strip()[:MAX_TEXT] or DEFAULT_TEXT,
            corner=corner,
            opacity=min(1.0, max(MIN_OPACITY, opacity)) if opacity == opacity else DEFAULT_OPACITY,
        )


@dataclass(frozen=True)
class Label:
    """A drawn mark over `rect`: every plane becomes plane * `gain` + `offset` (h, w) there."""

    rect: Rect
    gain: F32
    offset: F32
    gain_half: F32

    def apply(self, picture: Planes, within: Rect) -> None:
        """Blend the part of the mark that lies in `within` (even corners) into `picture`."""
        part = self.rect.clipped(within)
        if part.empty:
            return
        inner = part.moved(-self.rect.x0, -self.rect.y0)
        luma = picture.y[part.luma]
        luma[:] = to_bytes(luma * self.gain[inner.luma] + self.offset[inner.luma])
        keep = self.gain_half[inner.chroma]
        for plane in (picture.u, picture.v):
            target = plane[part.chroma]
            target[:] = to_bytes(target * keep + NEUTRAL * (1 - keep))


def build_label(settings: LabelSettings, width: int, height: int) -> Label | None:
    """Draw the mark for pictures of `width` × `height` pixels; None when it is switched off."""
    if not settings.enabled:
        return None
    strokes = _strokes(settings.text, HEIGHT_SHARE * min(width, height), width)
    rim = blur(strokes, max(0.8, 0.06 * strokes.shape[0]))
    rim = np.clip(rim * 2.2, 0, 1) * np.float32(RIM_STRENGTH)
    light = strokes * np.float32(settings.opacity)
    dark = rim * np.float32(settings.opacity) * (1 - light)
    gain = 1 - light - dark
    offset = light * np.float32(BLACK + LUMA_RANGE) + dark * np.float32(BLACK)
    rect = _place(strokes.shape[1], strokes.shape[0], settings.corner, width, height)
    return Label(rect, gain, offset, halve(gain))


def _strokes(text: str, tall_px: float, width: int) -> F32:
    """The text as coverage 0..1 (h, w), even sides, characters `tall_px` tall, no wider than `width`."""
    font: Any = cv2.FontFace(FONT)
    size = max(8, math.ceil(tall_px / _height_of_size_one(font)))
    box = cv2.getTextSize((10_000, 1000), text, (0, 0), font, size)
    pad = max(2, round(0.30 * tall_px))
    canvas = np.zeros((box[3] + 2 * pad, box[2] + 2 * pad, 3), np.uint8)
    cv2.putText(canvas, text, (pad - box[0], pad - box[1]), (255, 255, 255), font, size)
    ink: U8 = np.ascontiguousarray(canvas[..., 0])
    scale = min(1.0, 0.9 * width / ink.shape[1])
    even = (max(2, round(ink.shape[1] * scale / 2) * 2), max(2, round(ink.shape[0] * scale / 2) * 2))
    drawn: Any = cv2.resize(ink, even, interpolation=cv2.INTER_AREA)
    strokes: F32 = drawn.astype(np.float32) / np.float32(255)
    return strokes


def _height_of_size_one(font: Any) -> float:
    """Height of a Chinese character's ink, in pixels, per unit of font size."""
    canvas = np.zeros((200, 200, 3), np.uint8)
    cv2.putText(canvas, "生", (40, 150), (255, 255, 255), font, 100)
    inked = np.flatnonzero(canvas.any(axis=(1, 2)))
    return float(inked[-1] - inked[0] + 1) / 100


def _place(wide: int, tall: int, corner: str, width: int, height: int) -> Rect:
    margin = round(MARGIN_SHARE * min(width, height) / 2) * 2
    vertical, horizontal = corner.split("-")
    x = margin if horizontal == "left" else width - wide - margin
    y = margin if vertical == "top" else height - tall - margin
    x, y = max(0, min(x, width - wide)) & ~1, max(0, min(y, height - tall)) & ~1
    return Rect(x, y, x + wide, y + tall)
