"""Where every pixel of the mouth's region comes from, for one pose after another.

Both layers' displacements are inverted on the fields' coarse grid, enlarged to pixels, and chosen between
along the parting lips. Planes of x and of y are kept apart: NumPy is several times faster on them than on
pairs, and OpenCV takes them as they are. What needs no picture is computed for several frames at once.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from engines.portrait.face.geometry import FaceFrame
from engines.portrait.mouth.fields import MouthFields
from engines.portrait.pixels import (
    F32,
    I32,
    Map,
    fill_fixed,
    fixed_point,
    interleave,
    pixel_grid,
    remap_float,
    resize,
)

COLD_STEPS, WARM_STEPS = 5, 2
"""Newton steps to invert a field from scratch, and from the last frame's solution."""
MIN_SLOPE = 0.25
"""Damping: the field's vertical derivative is never taken below this, or folds would diverge."""
SEAM_RISES, SEAM_DROPS = 0.15, 0.35
"""How far the parting line moves at the most (IOD); each layer is computed no further."""


class Inverter:
    """Inverts both layers' displacements, frame after frame, from where they were in the last frame.

    The layers are stacked, the first `upper_rows` rows of the upper one above those of the lower one from
    `lower_start` on, so that each step is one call instead of two. What is looked up across the joint lies
    beyond the parting lips and is never shown.
    """

    def __init__(self, fields: MouthFields, upper_rows: int | None = None, lower_start: int = 0) -> None:
        self._joint = fields.rows if upper_rows is None else upper_rows
        layers = [layer.reshape(-1, fields.rows, fields.columns, 2) for layer in (fields.upper, fields.lower)]
        stacked = np.concatenate([layers[0][:, : self._joint], layers[1][:, lower_start:]], axis=1)
        self._rows, self._columns = stacked.shape[1:3]
        planes = stacked.transpose(0, 3, 1, 2) / -fields.cell
        self._basis: F32 = planes.reshape(len(planes), -1).astype(np.float32)
        self._here = pixel_grid(self._columns, self._rows)
        self._last: Map | None = None

    def reset(self) -> None:
        """Forget the last frame's solution."""
        self._last = None

    def fields(self, weights: F32) -> list[F32]:
        """What `invert` wants to know of poses (n, actions): backward x and y and Newton's step, per cell."""
        # frame by frame: for all at once NumPy's BLAS would start threads of its own
        away = np.stack([pose @ self._basis for pose in weights])
        back = away.reshape(-1, 2, self._rows, self._columns)
        slope = np.ones((len(weights), self._rows, self._columns), np.float32)
        inner = slope[:, 1:-1]
        np.subtract(back[:, 1, :-2], back[:, 1, 2:], out=inner)
        inner *= np.float32(0.5)
        inner += 1
        slope[:, self._joint - 1 : self._joint + 1] = 1
        np.maximum(slope, MIN_SLOPE, out=slope)
        np.reciprocal(slope, out=slope)
        # four channels cost less than three
        return [interleave([away[0], away[1], step, step]) for away, step in zip(back, slope, strict=True)]

    def invert(self, field: F32) -> Map:
        """How far away each cell's content comes from, in cells: x and y (rows of both layers, columns).

        Solves u = -D(p + u) for u by Newton's method with a diagonal Jacobian, in y alone: mouths move up
        and down much more than sideways. Plain fixed-point iteration ghosts at wide openings.
        """
        steps = WARM_STEPS
        if self._last is None:
            steps, step = COLD_STEPS, field[..., 2]
            self._last = field[..., 0] * step, field[..., 1] * step
        x, y = self._last
        for _ in range(steps):
            found = remap_float(field, (self._here[0] + x, self._here[1] + y))
            x = found[..., 0]
            change = found[..., 1] - y
            change *= found[..., 2]
            y = y + change
        self._last = x, y
        return self._last


@dataclass(frozen=True)
class PreparedWarp:
    """A pose ready for `MouthWarp.maps`."""

    field: F32
    below: I32
    """(n, 2) corners of what belongs to the lower layer, in fixed point."""


class MouthWarp:
    """Turns poses into maps over the region's pixels. One per thread."""

    def __init__(self, fields: MouthFields, frame: FaceFrame, seam: F32, enlarged: int) -> None:
        """`seam` (n, 2): the lips at rest. The luma is sampled from a copy `enlarged` times larger."""
        self._fields, self._enlarged = fields, enlarged
        self._across, self._down = frame.axes.astype(np.float32)
        self._last_upper, self._first_lower = self._reaches(seam, frame.iod)
        self._inverter = Inverter(fields, self._last_upper, self._first_lower)
        self._here = [
            plane * np.float32(enlarged) + np.float32((enlarged - 1) / 2)
            for plane in pixel_grid(*fields.rect.size)
        ]

    def _reaches(self, seam: F32, iod: float) -> tuple[int, int]:
        """How many rows of cells the upper layer needs, and the first row that the lower one needs."""
        rect, cell = self._fields.rect, self._fields.cell
        below = fill_fixed((rect.height, rect.width), fixed_point(self._outlines(seam[None])[0])) > 0
        upper, lower = np.flatnonzero(~below.all(axis=1)), np.flatnonzero(below.any(axis=1))
        if not len(upper) or not len(lower):
            return self._fields.rows, 0
        last = int((upper[-1] + SEAM_DROPS * iod) / cell) + 2
        first = int((lower[0] - SEAM_RISES * iod) / cell) - 1
        return min(self._fields.rows, last), max(0, first)

    def reset(self) -> None:
        """Make the next frame's maps independent of earlier ones."""
        self._inverter.reset()

    def prepare(self, weights: F32, seams: F32) -> list[PreparedWarp]:
        """Poses (n, actions) with their parting lips (n, points, 2), ready to be mapped."""
        outlines = self._outlines(seams)
        outlines[..., 1] -= self._first_lower * self._fields.cell
        fields = self._inverter.fields(weights)
        return [
            PreparedWarp(field, below) for field, below in zip(fields, fixed_point(outlines), strict=True)
        ]

    def maps(self, pose: PreparedWarp) -> tuple[Map, Map]:
        """Where the region's luma (h, w) comes from in the enlarged copy, and its chroma (h/2, w/2)."""
        rect, cell = self._fields.rect, self._fields.cell
        top, first = self._last_upper * cell, self._first_lower * cell
        below = fill_fixed((top - first, rect.width), pose.below)
        luma, chroma = [], []
        for moved, here in zip(self._inverter.invert(pose.field), self._here, strict=True):
            both = resize(moved, (rect.width, top + rect.height - first))
            plane = np.empty_like(here)
            plane[:top], plane[top:] = both[:top], both[2 * top - first :]
            cv2.copyTo(both[top : 2 * top - first], below, plane[first:top])
            plane *= np.float32(cell * self._enlarged)
            plane += here
            luma.append(plane)
            # a chroma sample sits amid 2 × 2 luma pixels; their mean would, across the lips, look up what
            # lies between the two layers, so that one of them stands for all
            half = plane[::2, ::2] - np.float32((self._enlarged - 1) / 2)
            half *= np.float32(0.5 / self._enlarged)
            chroma.append(half)
        return (luma[0], luma[1]), (chroma[0], chroma[1])

    def _outlines(self, seams: F32) -> F32:
        """Everything below each seam and beside it, far beyond the region: (n, points + 4, 2)."""
        far = np.float32(2 * max(self._fields.rect.size))
        left, right = seams[:, :1] - self._across * far, seams[:, -1:] + self._across * far
        down = self._down * far
        outlines: F32 = np.concatenate([left, seams, right, right + down, left + down], axis=1)
        return outlines
