"""Where every pixel of the mouth's region comes from, for one pose after another.

Both layers' displacements are inverted on the fields' coarse grid, enlarged to pixels, and chosen between
along the parting lips. Planes of x and of y are kept apart: NumPy is several times faster on them than on
pairs, and OpenCV takes them as they are.
"""

import cv2
import numpy as np

from videos.engines.portrait.mouth_fields import MouthFields
from videos.engines.portrait.pixels import (
    F32,
    Map,
    fill_polygon,
    half_map,
    interleave,
    pixel_grid,
    remap_float,
    resize,
)

COLD_STEPS, WARM_STEPS = 5, 2
"""Newton steps to invert a field from scratch, and from the last frame's solution."""
MIN_SLOPE = 0.25
"""Damping: the field's vertical derivative is never taken below this, or folds would diverge."""


class Inverter:
    """Inverts both layers' displacements, frame after frame, from where they were in the last frame.

    The layers are stacked, the upper above the lower, so that each step is one call instead of two. What is
    looked up across the joint lies beyond the parting lips and is never shown.
    """

    def __init__(self, fields: MouthFields) -> None:
        self._rows, self._columns = fields.rows, fields.columns
        self._here = pixel_grid(fields.columns, 2 * fields.rows)
        stacked: F32 = np.concatenate([fields.upper, fields.lower], axis=1) / np.float32(-fields.cell)
        shape = (len(stacked), 2 * fields.rows, fields.columns, 2)
        self._basis: F32 = np.ascontiguousarray(stacked.reshape(shape).transpose(0, 3, 1, 2)).reshape(
            len(stacked), -1
        )
        self._slope = np.ones(shape[1:3], np.float32)
        self._last: Map | None = None

    def reset(self) -> None:
        """Forget the last frame's solution."""
        self._last = None

    def invert(self, weights: F32) -> Map:
        """How far away each cell's content comes from, in cells: x and y (2 * rows, columns).

        Solves u = -D(p + u) for u by Newton's method with a diagonal Jacobian, in y alone: mouths move up
        and down much more than sideways. Plain fixed-point iteration ghosts at wide openings.
        """
        away: F32 = weights @ self._basis
        back = away.reshape(2, 2 * self._rows, self._columns)
        step = self._newton_step(back[1])
        field = interleave([back[0], back[1], step, step])  # four channels cost less than three
        steps = COLD_STEPS if self._last is None else WARM_STEPS
        if self._last is None:
            self._last = back[0] * step, back[1] * step
        x, y = self._last
        for _ in range(steps):
            found = remap_float(field, (self._here[0] + x, self._here[1] + y))
            x = found[..., 0]
            change = found[..., 1] - y
            change *= found[..., 2]
            y = y + change
        self._last = x, y
        return self._last

    def _newton_step(self, back_y: F32) -> F32:
        """1 / (1 + dD/dy) of every cell."""
        slope = self._slope
        np.subtract(back_y[:-2], back_y[2:], out=slope[1:-1])
        slope[self._rows - 1 : self._rows + 1] = 0  # the joint
        slope[0] = slope[-1] = 0
        slope *= np.float32(0.5)
        slope += 1
        np.maximum(slope, MIN_SLOPE, out=slope)
        step: F32 = np.reciprocal(slope)
        return step


class MouthWarp:
    """Turns poses into maps over the region's pixels. One per thread."""

    def __init__(self, fields: MouthFields, across: F32, down: F32) -> None:
        """`across` and `down` (2,) are the face's axes in the picture."""
        self._fields, self._across, self._down = fields, across, down
        self._inverter = Inverter(fields)
        self._here = pixel_grid(*fields.rect.size)

    def reset(self) -> None:
        self._inverter.reset()

    def maps(self, weights: F32, seam: F32) -> tuple[Map, Map]:
        """Where luma (h, w) and chroma (h/2, w/2) come from; `seam` (n, 2) are the parting lips."""
        fields = self._fields
        below_seam = fill_polygon((fields.rect.height, fields.rect.width), self._outline(seam))
        whole = fields.rect.width, 2 * fields.rect.height
        luma = []
        for moved, here in zip(self._inverter.invert(weights), self._here, strict=True):
            both = resize(moved, whole)
            plane = both[: fields.rect.height]
            cv2.copyTo(both[fields.rect.height :], below_seam, plane)
            plane *= np.float32(fields.cell)
            plane += here
            luma.append(plane)
        pair = luma[0], luma[1]
        return pair, half_map(pair)

    def _outline(self, seam: F32) -> F32:
        """Everything below the seam and beside it, far beyond the region."""
        far = np.float32(2 * max(self._fields.rect.size))
        left, right = seam[0] - self._across * far, seam[-1] + self._across * far
        return np.concatenate([left[None], seam, [right, right + self._down * far, left + self._down * far]])
