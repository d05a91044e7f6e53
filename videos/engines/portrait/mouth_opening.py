"""What is seen between the lips: the painted interior where they gape, a dark line where they touch.

All positions here are in pixels of the mouth's region.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from videos.engines.portrait.colour import BLACK
from videos.engines.portrait.geometry import FaceFrame, Rect
from videos.engines.portrait.mouth_interior import MouthInterior
from videos.engines.portrait.pixels import (
    F32,
    I32,
    SUBPIXEL_BITS,
    U8,
    blur,
    blur_u8,
    cover_polygon,
    fixed_point,
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
MIN_CONTACT = 0.05


@dataclass(frozen=True)
class PreparedOpening:
    """The lips of one frame, ready to be drawn between.

    `gape` (m, 2) is the polygon between the lips, `seam` (n, 2) their middle in fixed point, `levels` how
    dark each piece of it is, 0..150. A box is None where nothing is to be drawn.
    """

    gape: F32
    gape_box: Rect | None
    seam: I32
    seam_box: Rect | None
    levels: list[float]


class OpeningRenderer:
    """Draws the opening of one mouth. One per thread."""

    def __init__(self, interior: MouthInterior, frame: FaceFrame, region: Rect) -> None:
        self._interior, self._iod = interior, frame.iod
        self._down = frame.axes[1].astype(np.float32)
        self._region = Rect(0, 0, region.width, region.height)
        self._limits = interior.rect.moved(-region.x0, -region.y0)
        self._cover = 1 - interior.upper_clear
        self._upper_y = interior.upper_y * interior.falloff
        self._lower_gain = interior.upper_clear * interior.falloff

    def prepare(self, upper: F32, lower: F32, gap: F32) -> list[PreparedOpening]:
        """The lips' edges (n, points, 2) and their distance (n, points) in pixels, for several frames."""
        gapes = np.concatenate([upper, lower[:, ::-1]], axis=1)
        seams: F32 = (upper + lower) * np.float32(0.5)
        gape_boxes = _boxes(gapes, 3 + 0.06 * self._iod, self._limits)
        seam_boxes = _boxes(seams, 3 + 0.05 * self._iod, self._region)
        touch = 1 - np.clip(gap * np.float32(1 / (0.05 * self._iod)), 0, 1)
        last = touch.shape[1] - 2
        starts = list(range(2, last - 1, CONTACT_STEP))
        levels = np.add.reduceat(touch[:, :last], starts, axis=1) * (150 / CONTACT_STEP)
        gaping = gap.max(axis=1) > MIN_GAPE * self._iod
        touching = touch.max(axis=1) > MIN_CONTACT
        return [
            PreparedOpening(
                gapes[index],
                gape_boxes[index] if gaping[index] else None,
                fixed,
                seam_boxes[index] if touching[index] else None,
                levels[index].tolist(),
            )
            for index, fixed in enumerate(fixed_point(seams))
        ]

    def draw(self, pose: PreparedOpening, luma: U8, chroma: tuple[U8, U8], jaw: float, reveal: float) -> None:
        """Blend teeth, tongue and dark in between the lips.

        `luma` (h, w) and `chroma` (h/2, w/2) are the region's planes, `jaw` the jaw's drop in IOD, `reveal`
        0..1 how much of the interior shows.
        """
        box = pose.gape_box
        if box is None:
            return
        interior, inner = self._interior, box.moved(-self._limits.x0, -self._limits.y0)
        here, half = inner.luma, inner.chroma
        mask = cover_polygon((box.height, box.width), pose.gape - np.array([box.x0, box.y0], np.float32))
        mask *= np.float32(1 / 255)
        soft = blur(mask, max(0.5, 0.010 * self._iod))
        soft *= np.float32(reveal)
        dx, dy = (self._down * np.float32(jaw * LOWER_FOLLOWS * self._iod)).tolist()
        texture = shift(interior.lower_y, dx - inner.x0, dy - inner.y0, box.size)
        texture *= self._lower_gain[here]
        texture += self._upper_y[here]
        texture *= self._light(mask, self._cover[here])
        texture += BLACK
        _blend(luma[box.luma], texture, soft)
        size = box.width // 2, box.height // 2
        colour = shift(interior.lower_uv, dx / 2 - inner.x0 // 2, dy / 2 - inner.y0 // 2, size)
        colour *= interior.upper_clear_half[half]
        colour += interior.upper_uv[half]
        soft = halve(soft)
        for index in (0, 1):
            _blend(chroma[index][box.chroma], colour[..., index], soft)

    def _light(self, mask: F32, upper: F32) -> F32:
        """Light (h, w) on what lies behind an opening of shape `mask`: darker near its edges."""
        factor = max(1, int(0.018 * self._iod))
        height, width = mask.shape
        if factor > 1:
            mask = shrink(mask, (max(2, width // factor), max(2, height // factor)))
        light = blur(mask, max(0.8, 0.045 * self._iod / factor))
        light *= np.float32(0.70 * 1.25)
        light += np.float32(0.30 - 0.70 * 0.22)
        np.clip(light, 0.30, 1, out=light)
        if factor > 1:
            light = resize(light, (width, height))
        missing = UPPER_LIGHT - light
        np.maximum(missing, 0, out=missing)
        missing *= upper
        light += missing
        return light

    def darken_contact(self, pose: PreparedOpening, luma: U8) -> None:
        """Darken the line where the lips of a grin meet, which the photo does not show."""
        box, iod = pose.seam_box, self._iod
        if box is None:
            return
        lines = np.zeros((box.height, box.width), np.uint8)
        corners = pose.seam - np.array([box.x0, box.y0], np.int32) * (1 << SUBPIXEL_BITS)
        thick = max(1, round(0.014 * iod))
        last, start = len(corners) - 2, 2
        for level in pose.levels:
            part = corners[start : min(start + CONTACT_STEP + 1, last)]
            cv2.polylines(lines, [part], False, (int(level),), thick, cv2.LINE_AA, SUBPIXEL_BITS)
            start += CONTACT_STEP
        shadow = blur_u8(lines, max(0.6, 0.012 * iod)) * np.float32(-CONTACT_DARK / 255)
        shadow += 1
        target = luma[box.luma]
        shaded = target - np.float32(BLACK)
        shaded *= shadow
        shaded += BLACK
        target[:] = to_bytes(shaded)


def _boxes(points: F32, margin: float, limits: Rect) -> list[Rect | None]:
    """Boxes with even corners around each of `points` (n, m, 2) within `limits`, None if next to nothing."""
    low = np.floor(points.min(axis=1) - margin).astype(int) & ~1
    high = np.ceil(points.max(axis=1) + margin).astype(int) + 2 & ~1
    low = np.maximum(low, [limits.x0, limits.y0])
    high = np.minimum(high, [limits.x1, limits.y1])
    large = (high - low >= 4).all(axis=1)
    corners = np.concatenate([low, high], axis=1).tolist()
    return [Rect(*box) if enough else None for box, enough in zip(corners, large, strict=True)]


def _blend(target: U8, paint: F32, alpha: F32) -> None:
    """target += (paint - target) * alpha, in place."""
    change = paint - target
    change *= alpha
    change += target
    target[:] = to_bytes(change)
