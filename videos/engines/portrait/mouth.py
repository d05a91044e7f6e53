"""Rendering the mouth of one frame.

Two passes over the photo, one per layer, each sampled through the inverse of that layer's forward
displacement; a mask along the parting lips chooses between them; the interior shows where they gape.
All positions here are in pixels of the mouth's region.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from videos.engines.portrait.colour import BLACK, Planes
from videos.engines.portrait.geometry import FaceFrame, Rect
from videos.engines.portrait.mouth_fields import ACTIONS, MouthFields, build_fields
from videos.engines.portrait.mouth_interior import MouthInterior, build_interior
from videos.engines.portrait.mouth_shape import MouthShape, measure_mouth
from videos.engines.portrait.pixels import (
    F32,
    F64,
    SUBPIXEL_BITS,
    U8,
    blur,
    blur_u8,
    cover_polygon,
    fill_polygon,
    halve,
    remap,
    remap_float,
    resize,
    shift,
    shrink,
    to_bytes,
)
from videos.engines.portrait.silhouette import Silhouette

LIP_POINTS = 41
"""Points along each lip's edge, denser towards the corners."""
COLD_STEPS, WARM_STEPS = 5, 2
"""Newton steps to invert a field from scratch, and from the last frame's solution."""
MIN_SLOPE = 0.25
"""Damping: the field's vertical derivative is never taken below this, or folds would diverge."""
WEIGHT_STEP = 1 / 2048
"""Weights are rounded to this; rounded poses that repeat are not drawn again."""
CUBIC_MAX_PX = 60_000
"""Regions up to this many pixels are sampled bicubically; larger ones do not need it."""
LOWER_FOLLOWS = 0.92
"""Share of the jaw's drop that the lower teeth and tongue follow."""
CONTACT_STEP = 9
"""Points of a piece of the line where lips touch, drawn in one shade."""
CONTACT_DARK = 0.62
"""How much darker the line between touching lips is."""
MIN_GAPE = 0.006
"""The interior is drawn once the lips are this far apart (IOD)."""


@dataclass(frozen=True)
class MouthRig:
    """All that is known of one portrait's mouth. Read-only; shared between threads."""

    shape: MouthShape
    fields: MouthFields
    interior: MouthInterior
    frame: FaceFrame
    upper_edge: F32
    """(LIP_POINTS, 2) the upper lip's inner edge, pixels of the region."""
    lower_edge: F32
    luma: U8
    """The photo's planes within the region."""
    cb: U8
    cr: U8


def build_mouth(points: F64, frame: FaceFrame, ycc: F32, planes: Planes, person: Silhouette) -> MouthRig:
    """Prepare the mouth of a portrait from its mesh `points` (468, 3), image `ycc` and `planes`."""
    shape = measure_mouth(points, frame, ycc)
    fields = build_fields(shape, frame, person, planes.width, planes.height)
    rect = fields.rect
    along = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, LIP_POINTS))
    x = shape.upper[0, 0] + (shape.upper[-1, 0] - shape.upper[0, 0]) * along
    corner = np.array([rect.x0, rect.y0])
    edges = [
        (frame.to_image(np.stack([x, y], axis=-1)) - corner).astype(np.float32)
        for y in (shape.upper_y(x), shape.lower_y(x))
    ]
    interior = build_interior(shape, frame, points, ycc, rect)
    return MouthRig(
        shape, fields, interior, frame, edges[0], edges[1],
        planes.y[rect.luma].copy(), planes.u[rect.chroma].copy(), planes.v[rect.chroma].copy(),
    )  # fmt: skip


class _Inverter:
    """Inverts both layers' displacements, frame after frame, from where they were in the last frame.

    The layers are stacked, the upper above the lower, so that each step is one call instead of two; a
    field is all but zero along its edges, so that nothing is looked up across the joint.
    """

    def __init__(self, fields: MouthFields) -> None:
        self._rows = fields.rows
        self._basis = np.stack(
            np.meshgrid(np.arange(fields.columns), np.arange(2 * fields.rows)), axis=-1
        ).astype(np.float32)
        self._cell = np.float32(fields.cell)
        self._last: F32 | None = None

    def reset(self) -> None:
        self._last = None

    def invert(self, forward: F32) -> tuple[F32, F32]:
        """Where each cell's content comes from, in cells (rows, columns, 2), per layer.

        `forward` (2 * rows, columns, 2) holds both layers' displacements in pixels. Solves q + D(q) = p
        for q by Newton's method with a diagonal Jacobian, in y alone: mouths move up and down much more
        than sideways. Plain fixed-point iteration ghosts at wide openings.
        """
        field = np.empty((*forward.shape[:2], 3), np.float32)
        np.divide(forward, self._cell, out=field[..., :2])
        down, slope = field[..., 1], np.zeros(forward.shape[:2], np.float32)
        np.subtract(down[2:], down[:-2], out=slope[1:-1])
        slope[self._rows - 1 : self._rows + 1] = 0  # the joint
        slope *= np.float32(0.5)
        slope += 1
        np.maximum(slope, MIN_SLOPE, out=slope)
        np.divide(1, slope, out=field[..., 2])
        guess, steps = self._last, WARM_STEPS
        if guess is None:
            guess, steps = self._basis - field[..., :2] * field[..., 2:], COLD_STEPS
        for _ in range(steps):
            here = remap_float(field, guess)
            error = guess - self._basis
            error += here[..., :2]
            error[..., 1] *= here[..., 2]
            guess = guess - error
        self._last = guess
        upper, lower = guess[: self._rows], guess[self._rows :].copy()
        lower[..., 1] -= self._rows
        return upper, lower


class MouthRenderer:
    """Draws poses of one mouth into pictures. One per thread: it remembers the last frame."""

    def __init__(self, rig: MouthRig) -> None:
        self._rig = rig
        self._inverter = _Inverter(rig.fields)
        self._basis = np.concatenate([rig.fields.upper, rig.fields.lower], axis=1)
        self._drawn: tuple[bytes, float] | None = None
        self._across = rig.frame.axes[0].astype(np.float32)
        self._down = rig.frame.axes[1].astype(np.float32)

    def reset(self) -> None:
        """Forget the last frame, so that what follows does not depend on it."""
        self._inverter.reset()
        self._drawn = None

    def draw(self, weights: F32, reveal: float, canvas: Planes) -> bool:
        """Draw the pose `weights` (actions,) into the region of `canvas`; False if it is there already.

        `reveal` 0..1 fades the painted interior in over what the photo itself shows between the lips.
        """
        weights = np.round(weights / WEIGHT_STEP) * np.float32(WEIGHT_STEP)
        key = (weights.tobytes(), reveal)
        if key == self._drawn:
            return False
        self._drawn = key
        rig, rect = self._rig, self._rig.fields.rect
        if not weights.any():
            canvas.y[rect.luma], canvas.u[rect.chroma], canvas.v[rect.chroma] = rig.luma, rig.cb, rig.cr
            return True
        self._pose(weights, reveal, canvas)
        return True

    def _pose(self, weights: F32, reveal: float, canvas: Planes) -> None:
        rig, fields = self._rig, self._rig.fields
        forward = (weights @ self._basis).reshape(2 * fields.rows, fields.columns, 2)
        forward_upper, forward_lower = forward[: fields.rows], forward[fields.rows :]
        upper = rig.upper_edge + self._sample(forward_upper, rig.upper_edge)
        lower = rig.lower_edge + self._sample(forward_lower, rig.lower_edge)
        gap = (lower - upper) @ self._down
        middle: F32 = (upper + lower) * np.float32(0.5)
        crossed = (gap < 0)[:, None]
        upper, lower = np.where(crossed, middle, upper), np.where(crossed, middle, lower)

        coords = self._coordinates(forward, middle)
        luma = canvas.y[fields.rect.luma]
        chroma = canvas.u[fields.rect.chroma], canvas.v[fields.rect.chroma]
        luma[:] = remap(rig.luma, coords, cubic=luma.size <= CUBIC_MAX_PX)
        half = (halve(coords) - np.float32(0.5)) * np.float32(0.5)
        chroma[0][:] = remap(rig.cb, half)
        chroma[1][:] = remap(rig.cr, half)
        if reveal > 0 and gap.max() > MIN_GAPE * rig.frame.iod:
            jaw = float(weights[ACTIONS.index("jaw")])
            self._draw_interior(luma, chroma, np.concatenate([upper, lower[::-1]]), jaw, reveal)
        if rig.shape.open:
            self._draw_contact(luma, middle, gap)

    def _sample(self, forward: F32, points: F32) -> F32:
        """The displacement (n, 2) of a field at `points` (n, 2)."""
        cell = np.float32(self._rig.fields.cell)
        cells = (points - (cell - 1) / 2) / cell
        moved: F32 = remap_float(forward, cells[None])[0]
        return moved

    def _coordinates(self, forward: F32, seam: F32) -> F32:
        """Where each pixel of the region comes from, (h, w, 2)."""
        fields = self._rig.fields
        cell, size = np.float32(fields.cell), fields.rect.size
        offset = (cell - 1) / 2
        source_upper, source_lower = self._inverter.invert(forward)
        coords = resize(source_upper * cell + offset, size)
        below = resize(source_lower * cell + offset, size)
        far = np.float32(2 * max(size))
        left, right = seam[0] - self._across * far, seam[-1] + self._across * far
        outline = np.concatenate(
            [left[None], seam, [right, right + self._down * far, left + self._down * far]]
        )
        cv2.copyTo(below, fill_polygon((size[1], size[0]), outline), coords)
        return coords

    def _draw_interior(
        self, luma: U8, chroma: tuple[U8, U8], outline: F32, jaw: float, reveal: float
    ) -> None:
        """Blend teeth, tongue and dark into the polygon `outline` (n, 2) between the lips."""
        interior, iod = self._rig.interior, self._rig.frame.iod
        region = self._rig.fields.rect
        limits = interior.rect.moved(-region.x0, -region.y0)
        box = Rect.around(outline, 3 + 0.06 * iod).clipped(limits)
        if box.width < 4 or box.height < 4:
            return
        mask = cover_polygon((box.height, box.width), outline - np.array([box.x0, box.y0], np.float32))
        soft = blur(mask.astype(np.float32), max(0.5, 0.010 * iod)) * np.float32(reveal / 255)
        inner = box.moved(-limits.x0, -limits.y0)
        clear = interior.upper_clear[inner.luma]
        depth = self._occlusion(mask)
        # upper teeth stand in front and catch the light; the rest lies in the mouth's shade
        shade = (depth + (np.maximum(depth, 0.88) - depth) * (1 - clear)) * interior.falloff[inner.luma]
        drop = self._down * np.float32(jaw * LOWER_FOLLOWS * iod)
        texture = shift(interior.lower_y, drop[0] - inner.x0, drop[1] - inner.y0, box.size)
        texture = (texture * clear + interior.upper_y[inner.luma]) * shade + BLACK
        _blend(luma[box.luma], texture, soft)
        half_size = (box.width // 2, box.height // 2)
        colour = shift(interior.lower_uv, drop[0] / 2 - inner.x0 // 2, drop[1] / 2 - inner.y0 // 2, half_size)
        colour = colour * interior.upper_clear_half[inner.chroma] + interior.upper_uv[inner.chroma]
        soft_half = halve(soft)
        for index in (0, 1):
            _blend(chroma[index][box.chroma], colour[..., index], soft_half)

    def _occlusion(self, mask: U8) -> F32:
        """Light (h, w) that falls into an opening of shape `mask`: darker near its edges."""
        iod = self._rig.frame.iod
        factor = max(1, int(0.018 * iod))
        height, width = mask.shape
        small = mask.astype(np.float32)
        if factor > 1:
            small = shrink(small, (max(2, width // factor), max(2, height // factor)))
        light = blur(small, max(0.8, 0.045 * iod / factor)) * np.float32(1.25 / 255) - np.float32(0.22)
        return resize(np.clip(light, 0, 1) * np.float32(0.70) + np.float32(0.30), (width, height))

    def _draw_contact(self, luma: U8, seam: F32, gap: F32) -> None:
        """Darken the line where the lips of a grin meet, which the photo does not show."""
        iod = self._rig.frame.iod
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
        starts = range(2, LIP_POINTS - 3, CONTACT_STEP)
        levels = np.add.reduceat(touch[: LIP_POINTS - 2], starts) * (150 / CONTACT_STEP)
        for start, level in zip(starts, levels, strict=True):
            part = corners[start : min(start + CONTACT_STEP + 1, LIP_POINTS - 2)]
            cv2.polylines(lines, [part], False, (int(level),), thick, cv2.LINE_AA, SUBPIXEL_BITS)
        shadow = 1 - blur_u8(lines, max(0.6, 0.012 * iod)) * np.float32(CONTACT_DARK / 255)
        target = luma[box.luma]
        target[:] = to_bytes((target.astype(np.float32) - BLACK) * shadow + BLACK)


def _blend(target: U8, paint: F32, alpha: F32) -> None:
    """target += (paint - target) * alpha, in place."""
    below = target.astype(np.float32)
    target[:] = to_bytes(below + (paint - below) * alpha)
