"""What is seen between the lips: the painted interior where they gape, a dark line where they touch.

All positions here are in pixels of the mouth's region.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.portrait.face.geometry import FaceFrame, Rect, smoothstep
from engines.portrait.mouth.interior import MouthInterior
from engines.portrait.mouth.tongue import MouthFloor
from engines.portrait.pixels import (
    F32,
    SUBPIXEL_BITS,
    U8,
    blur,
    cover_polygons,
    fixed_point,
    halve,
    resize,
    shift,
    shrink,
    to_bytes,
)
from engines.portrait.video.colour import BLACK

LOWER_FOLLOWS = 0.92
"""Share of the jaw's drop that the lower teeth and tongue follow."""
MIN_GAPE = 0.006
"""The interior is drawn once the lips are this far apart (IOD)."""
UPPER_LIGHT = 0.88
"""The upper teeth stand in front and catch the light: the least of it that falls on them in an open mouth."""
DIM_LIGHT, DIM_GRIN, DIM_GAP, LIT_GAP = 0.60, 0.93, 0.025, 0.105
"""Between lips that are hardly parted they stand in their shade: the share of that light up to DIM_GAP (IOD);
bared teeth, which stand further out, get DIM_GRIN of it. From LIT_GAP on all of it falls on them."""
BARED = 0.028
"""An upper lip raised by this much (IOD), as for f and v, bares them to all of it, however small the gap."""
CONTACT_STEP = 9
"""Points of a piece of the line where lips touch, drawn in one shade."""
CONTACT_DARK = 0.62
"""How much darker the line between touching lips is."""
MIN_CONTACT = 0.05


Flags = NDArray[np.bool_]
Floors = list[tuple[F32, F32]]
"""What moves with the jaw in each of several frames: luma and chroma, see `MouthFloor`."""


@dataclass(frozen=True)
class Lips:
    """Several frames' lips: edges (n, points, 2) and their distance (n, points) in pixels.

    `jaws`, `raised` (n,) are the jaw's drop and the upper lip's rise in IOD, `insides` (n, 3) `pose.Inside`.
    """

    upper: F32
    lower: F32
    gap: F32
    jaws: F32
    raised: F32
    insides: F32

    def part(self, start: int, stop: int) -> "Lips":
        here = slice(start, stop)
        parts = (self.upper, self.lower, self.gap, self.jaws, self.raised, self.insides)
        return Lips(*(part[here] for part in parts))


@dataclass(frozen=True)
class PreparedOpening:
    """What the opening makes of one frame: every plane becomes plane * gain + offset over `box`.

    `gain`, `offset` (h, w) for luma; `gain_half`, `offset_u`, `offset_v` (h/2, w/2) for chroma.
    """

    box: Rect
    gain: F32
    offset: F32
    gain_half: F32
    offset_u: F32
    offset_v: F32

    def draw(self, luma: U8, chroma: tuple[U8, U8]) -> None:
        """Apply it to the region's planes."""
        target = luma[self.box.luma]
        target[:] = to_bytes(target * self.gain + self.offset)
        for plane, offset in zip(chroma, (self.offset_u, self.offset_v), strict=True):
            target = plane[self.box.chroma]
            target[:] = to_bytes(target * self.gain_half + offset)


class OpeningRenderer:
    """Draws the openings of one mouth, several frames at once. One per thread.

    The frames' boxes are stacked for OpenCV, each with a margin as wide as the blurs. Large mouths,
    where a call's own cost does not matter, are drawn one by one.
    """

    def __init__(self, interior: MouthInterior, frame: FaceFrame, region: Rect, *, grin: bool) -> None:
        """`grin`: the mouth is open in the photo, which does not show the line where its lips meet."""
        self._interior, self._iod, self._grin = interior, frame.iod, grin
        self._down = frame.axes[1].astype(np.float32) * np.float32(frame.iod * LOWER_FOLLOWS)
        self._limits = interior.rect.moved(-region.x0, -region.y0)
        self._shrinking = max(1, int(0.018 * frame.iod))
        self._cover = 1 - interior.upper_clear
        self._upper_y = interior.upper_y * interior.falloff
        self._floor = MouthFloor(
            interior.lower_y, interior.lower_uv, interior.lower_teeth, interior.tip, frame
        )
        self._lower_gain = interior.upper_clear * interior.falloff

    def prepare(self, lips: Lips) -> list[PreparedOpening | None]:
        """The openings of several frames; None where there is nothing to draw."""
        together = len(lips.jaws) if self._shrinking == 1 else 1
        starts = range(0, len(lips.jaws), together)
        return [one for start in starts for one in self._group(lips.part(start, start + together))]

    def _group(self, lips: Lips) -> list[PreparedOpening | None]:
        margin = 3 + 0.06 * self._iod
        box = Rect.around(np.concatenate([lips.upper, lips.lower]).reshape(-1, 2), margin).clipped(
            self._limits
        )
        count = len(lips.jaws)
        gaping = (lips.gap.max(axis=1) > MIN_GAPE * self._iod) & (lips.insides[:, 0] > 0)
        touch = 1 - np.clip(lips.gap * np.float32(1 / (0.05 * self._iod)), 0, 1)
        touching = (touch.max(axis=1) > MIN_CONTACT) & self._grin
        if box.width < 4 or box.height < 4 or not (gaping | touching).any():
            return [None] * count
        corner = np.array([box.x0, box.y0], np.float32)
        gapes = np.concatenate([lips.upper, lips.lower[:, ::-1]], axis=1) - corner
        floors = [
            self._floor.at(LOWER_FOLLOWS * jaw, raised, out)
            for jaw, (_, raised, out) in zip(lips.jaws.tolist(), lips.insides.tolist(), strict=True)
        ]
        offset, soft = self._paint(gapes, floors, lips, box, gaping)
        colour, soft_half = self._paint_chroma(soft, floors, lips, box)
        gain = 1 - soft
        if touching.any():
            shadow = self._shadow((lips.upper + lips.lower) * np.float32(0.5) - corner, touch, touching, box)
            gain *= shadow
            offset -= BLACK
            offset *= shadow
            offset += BLACK
        gain_half = 1 - soft_half
        return [
            PreparedOpening(box, gain[k], offset[k], gain_half[k], colour[k, 0], colour[k, 1])
            if gaping[k] or touching[k]
            else None
            for k in range(count)
        ]

    def _paint(self, gapes: F32, floors: Floors, lips: Lips, box: Rect, gaping: Flags) -> tuple[F32, F32]:
        """Luma times coverage and coverage, both (n, h, w), of teeth, tongue and dark between the lips."""
        stack = (len(gapes), box.height, box.width)
        here = box.moved(-self._limits.x0, -self._limits.y0)
        mask = cover_polygons((box.height, box.width), gapes, gaping.tolist())
        soft = blur(mask, max(0.5, 0.010 * self._iod)).reshape(stack)
        soft *= lips.insides[:, 0, None, None]
        paint = np.empty(stack, np.float32)
        for target, jaw, (luma, _) in zip(paint, lips.jaws, floors, strict=True):
            dx, dy = (self._down * jaw).tolist()
            target[:] = shift(luma, dx - here.x0, dy - here.y0, box.size)
        paint *= self._lower_gain[here.luma]
        paint += self._upper_y[here.luma]
        paint *= self._light(mask, lips, self._cover[here.luma])
        paint += BLACK
        paint *= soft
        return paint, soft

    def _paint_chroma(self, soft: F32, floors: Floors, lips: Lips, box: Rect) -> tuple[F32, F32]:
        """Chroma times coverage (n, 2, h/2, w/2), and coverage (n, h/2, w/2)."""
        here = box.moved(-self._limits.x0, -self._limits.y0)
        half = box.width // 2, box.height // 2
        soft_half = halve(soft.reshape(-1, box.width)).reshape(-1, half[1], half[0])
        colour = np.empty((len(soft), 2, half[1], half[0]), np.float32)
        for target, jaw, (_, chroma) in zip(colour, lips.jaws, floors, strict=True):
            dx, dy = (self._down * (jaw / 2)).tolist()
            moved = shift(chroma, dx - here.x0 // 2, dy - here.y0 // 2, half)
            moved *= self._interior.upper_clear_half[here.chroma]
            moved += self._interior.upper_uv[here.chroma]
            target[:] = moved.transpose(2, 0, 1)
        colour *= soft_half[:, None]
        return colour, soft_half

    def _light(self, mask: F32, lips: Lips, upper: F32) -> F32:
        """Light (n, h, w) on what lies behind openings `mask` (n * h, w): darker near their edges."""
        factor, (height, width) = self._shrinking, mask.shape
        wide = smoothstep(DIM_GAP, LIT_GAP, lips.gap.max(axis=1) * np.float32(1 / self._iod))
        dim = DIM_GRIN if self._grin else DIM_LIGHT
        bare = np.maximum(wide, np.clip(lips.raised * np.float32(1 / BARED), 0, 1))
        least = np.float32(UPPER_LIGHT) * (dim + (1 - dim) * bare)
        if factor > 1:
            mask = shrink(mask, (max(2, width // factor), max(2, height // factor)))
        light = blur(mask, max(0.8, 0.045 * self._iod / factor))
        light *= np.float32(0.70 * 1.25)
        light += np.float32(0.30 - 0.70 * 0.22)
        np.clip(light, 0.30, 1, out=light)
        light = (light if factor == 1 else resize(light, (width, height))).reshape(-1, *upper.shape)
        missing = least[:, None, None] - light
        np.maximum(missing, 0, out=missing)
        missing *= upper
        light += missing
        return light

    def _shadow(self, seams: F32, touch: F32, touching: Flags, box: Rect) -> F32:
        """How much light (n, h, w) the lines leave where the lips of a grin meet."""
        last = touch.shape[1] - 2
        starts = list(range(2, last - 1, CONTACT_STEP))
        levels = (np.add.reduceat(touch[:, :last], starts, axis=1) * (150 / CONTACT_STEP)).tolist()
        thick = max(1, round(0.014 * self._iod))
        lines = np.zeros((len(seams), box.height, box.width), np.uint8)
        for index, corners in enumerate(fixed_point(seams)):
            for start, level in zip(starts, levels[index], strict=True) if touching[index] else ():
                part = corners[start : min(start + CONTACT_STEP + 1, last)]
                cv2.polylines(lines[index], [part], False, (int(level),), thick, cv2.LINE_AA, SUBPIXEL_BITS)
        flat = lines.reshape(-1, box.width).astype(np.float32)
        shadow = blur(flat, max(0.6, 0.012 * self._iod)).reshape(lines.shape)
        shadow *= np.float32(-CONTACT_DARK / 255)
        shadow += 1
        return shadow
