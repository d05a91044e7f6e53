"""What is seen between the lips: the painted interior where they gape, a dark line where they touch.

All positions here are in pixels of the mouth's region.
"""

import cv2
import numpy as np

from videos.engines.portrait.colour import BLACK
from videos.engines.portrait.geometry import FaceFrame, Rect
from videos.engines.portrait.mouth_interior import MouthInterior
from videos.engines.portrait.pixels import (
    F32,
    SUBPIXEL_BITS,
    U8,
    blur,
    blur_u8,
    cover_polygon,
    halve,
    resize,
    shift,
    shrink,
    to_bytes,
)

LOWER_FOLLOWS = 0.92
"""Share of the jaw's drop that the lower teeth and tongue follow."""
MIN_GAPE = 0.006
"""The interior is drawn once the lips are this far apart (IOD)."""
UPPER_LIGHT = 0.88
"""The upper teeth stand in front and catch the light: the least of it that falls on them."""
CONTACT_STEP = 9
"""Points of a piece of the line where lips touch, drawn in one shade."""
CONTACT_DARK = 0.62
"""How much darker the line between touching lips is."""


class OpeningRenderer:
    """Draws the opening of one mouth. One per thread."""

    def __init__(self, interior: MouthInterior, frame: FaceFrame, region: Rect) -> None:
        self._interior, self._iod = interior, frame.iod
        self._down = frame.axes[1].astype(np.float32)
        self._limits = interior.rect.moved(-region.x0, -region.y0)
        self._cover = 1 - interior.upper_clear
        self._upper_y = interior.upper_y * interior.falloff
        self._lower_y = interior.lower_y
        self._lower_gain = interior.upper_clear * interior.falloff

    def draw(self, luma: U8, chroma: tuple[U8, U8], outline: F32, jaw: float, reveal: float) -> None:
        """Blend teeth, tongue and dark into the polygon `outline` (n, 2) between the lips.

        `luma` (h, w) and `chroma` (h/2, w/2) are the region's planes, `jaw` the jaw's drop in IOD, `reveal`
        0..1 how much of the interior shows.
        """
        interior, limits = self._interior, self._limits
        box = Rect.around(outline, 3 + 0.06 * self._iod).clipped(limits)
        if box.width < 4 or box.height < 4:
            return
        inner = box.moved(-limits.x0, -limits.y0)
        mask = cover_polygon((box.height, box.width), outline - np.array([box.x0, box.y0], np.float32))
        soft = blur(mask.astype(np.float32), max(0.5, 0.010 * self._iod))
        soft *= np.float32(reveal / 255)
        drop = self._down * np.float32(jaw * LOWER_FOLLOWS * self._iod)
        texture = shift(self._lower_y, drop[0] - inner.x0, drop[1] - inner.y0, box.size)
        texture *= self._lower_gain[inner.luma]
        texture += self._upper_y[inner.luma]
        texture *= self._light(mask, self._cover[inner.luma])
        texture += BLACK
        _blend(luma[box.luma], texture, soft)
        half_size = (box.width // 2, box.height // 2)
        colour = shift(interior.lower_uv, drop[0] / 2 - inner.x0 // 2, drop[1] / 2 - inner.y0 // 2, half_size)
        colour *= interior.upper_clear_half[inner.chroma]
        colour += interior.upper_uv[inner.chroma]
        soft_half = halve(soft)
        for index in (0, 1):
            _blend(chroma[index][box.chroma], colour[..., index], soft_half)

    def _light(self, mask: U8, upper: F32) -> F32:
        """Light (h, w) on what lies behind an opening of shape `mask`: darker near its edges."""
        factor = max(1, int(0.018 * self._iod))
        height, width = mask.shape
        small = mask.astype(np.float32)
        if factor > 1:
            small = shrink(small, (max(2, width // factor), max(2, height // factor)))
        light = blur(small, max(0.8, 0.045 * self._iod / factor))
        light *= np.float32(1.25 / 255)
        light -= np.float32(0.22)
        np.clip(light, 0, 1, out=light)
        light *= np.float32(0.70)
        light += np.float32(0.30)
        if factor > 1:
            light = resize(light, (width, height))
        missing = np.maximum(UPPER_LIGHT - light, 0)
        missing *= upper
        light += missing
        return light

    def darken_contact(self, luma: U8, seam: F32, gap: F32) -> None:
        """Darken the line `seam` (n, 2) where the lips of a grin meet, which the photo does not show.

        `gap` (n,) is how far the lips are apart, in pixels.
        """
        iod = self._iod
        touch = 1 - np.clip(gap / (0.05 * iod), 0, 1)
        if touch.max() <= 0.05:
            return
        height, width = luma.shape
        box = Rect.around(seam, 3 + 0.05 * iod).clipped(Rect(0, 0, width, height))
        if box.empty:
            return
        lines = np.zeros((box.height, box.width), np.uint8)
        corners = np.round((seam - [box.x0, box.y0]) * (1 << SUBPIXEL_BITS)).astype(np.int32)
        thick = max(1, round(0.014 * iod))
        last = len(seam) - 2
        starts = range(2, last - 1, CONTACT_STEP)
        levels = np.add.reduceat(touch[:last], starts) * (150 / CONTACT_STEP)
        for start, level in zip(starts, levels, strict=True):
            part = corners[start : min(start + CONTACT_STEP + 1, last)]
            cv2.polylines(lines, [part], False, (int(level),), thick, cv2.LINE_AA, SUBPIXEL_BITS)
        shadow = blur_u8(lines, max(0.6, 0.012 * iod)) * np.float32(-CONTACT_DARK / 255)
        shadow += 1
        target = luma[box.luma]
        shaded = (target.astype(np.float32) - BLACK) * shadow
        shaded += BLACK
        target[:] = to_bytes(shaded)


def _blend(target: U8, paint: F32, alpha: F32) -> None:
    """target += (paint - target) * alpha, in place."""
    below = target.astype(np.float32)
    paint = paint - below
    paint *= alpha
    paint += below
    target[:] = to_bytes(paint)
