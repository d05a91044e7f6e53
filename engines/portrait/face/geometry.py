"""Coordinate frames.

Two frames are used throughout the package:

- *image*: pixels, x right, y down, pixel centres on integers, origin at the centre of the top left pixel;
- *face*: origin midway between the eyes, x along the eye line towards the image's right for an upright
  photo, y down the face, unit one inter-ocular distance (IOD). All tuning constants that are lengths are
  in IOD, so that they mean the same on every portrait, at every size and under every rotation.
"""

import math
from dataclasses import dataclass

import numpy as np

from engines.portrait.face import landmarks as lm
from engines.portrait.pixels import F32, F64

FACE_HEIGHT_IOD = 2.05
"""Eye line to chin of a frontal face is about this many IOD."""


@dataclass(frozen=True)
class Rect:
    """A box of pixels, right and bottom exclusive. Corners are even, so that chroma planes align."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), as OpenCV wants it."""
        return self.width, self.height

    @property
    def empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    @property
    def luma(self) -> tuple[slice, slice]:
        """Index of the box in a full-size plane."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @property
    def chroma(self) -> tuple[slice, slice]:
        """Index of the box in a half-size plane."""
        return slice(self.y0 // 2, self.y1 // 2), slice(self.x0 // 2, self.x1 // 2)

    def moved(self, dx: int, dy: int) -> "Rect":
        return Rect(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)

    def grown(self, margin: int) -> "Rect":
        return Rect(self.x0 - margin, self.y0 - margin, self.x1 + margin, self.y1 + margin)

    def clipped(self, other: "Rect") -> "Rect":
        """The part inside `other`; may be empty."""
        return Rect(
            max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1)
        )

    def overlaps(self, other: "Rect") -> bool:
        return not self.clipped(other).empty

    @staticmethod
    def around(points: F64 | F32, margin: float = 0.0) -> "Rect":
        """The smallest box with even corners around `points` (n, 2) and `margin` pixels more."""
        low = np.floor(points.min(axis=0) - margin).astype(int)
        high = np.ceil(points.max(axis=0) + margin).astype(int) + 1
        x0, y0 = int(low[0]) & ~1, int(low[1]) & ~1
        x1, y1 = int(high[0]), int(high[1])
        return Rect(x0, y0, x1 + (x1 & 1), y1 + (y1 & 1))


def centres(rect: Rect, size: tuple[int, int]) -> tuple[F64, F64]:
    """Pixel columns and rows of the centres of `size` (width, height) equal boxes that tile `rect`."""
    columns = rect.x0 + (np.arange(size[0]) + 0.5) * (rect.width / size[0]) - 0.5
    rows = rect.y0 + (np.arange(size[1]) + 0.5) * (rect.height / size[1]) - 0.5
    return columns.astype(np.float64), rows.astype(np.float64)


def cell_centres(rect: Rect, cell: int) -> tuple[F64, F64]:
    """The same for `cell` × `cell` pixel squares."""
    return centres(rect, (rect.width // cell, rect.height // cell))


@dataclass(frozen=True)
class FaceFrame:
    """The face frame of one portrait within its image."""

    origin: F64
    """(2,) image position of the point between the eyes."""
    axes: F64
    """(2, 2) the face's x and y unit vectors, as rows, in image directions."""
    iod: float
    """Pixels of one unit."""

    @staticmethod
    def from_landmarks(points: F64) -> "FaceFrame":
        """Measure the frame from mesh `points` (468, 3) in pixels.

        A head turned aside shows its eyes too close together; the face's height, which turning does not
        shorten, then gives the unit.
        """
        left, right = (points[list(pair), :2].mean(axis=0) for pair in (lm.EYE_CORNERS_A, lm.EYE_CORNERS_B))
        origin, across = (left + right) / 2, right - left
        angle = math.atan2(across[1], across[0])
        axes = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        height = float(np.linalg.norm(points[lm.CHIN, :2] - origin))
        return FaceFrame(origin, axes, max(float(np.linalg.norm(across)), height / FACE_HEIGHT_IOD))

    def to_face(self, points: F64 | F32) -> F64:
        """Image positions (..., 2) to face positions (..., 2)."""
        face: F64 = (points - self.origin) @ self.axes.T / self.iod
        return face

    def to_image(self, points: F64 | F32) -> F64:
        """Face positions (..., 2) to image positions (..., 2)."""
        image: F64 = points @ self.axes * self.iod + self.origin
        return image

    def vectors(self, dx: F32, dy: F32) -> F32:
        """Face displacements, two arrays of one shape, to image displacements (..., 2) in pixels."""
        return (np.stack([dx, dy], axis=-1) @ self.axes * self.iod).astype(np.float32)

    def coordinates(self, rect: Rect, cell: int = 1) -> tuple[F32, F32]:
        """Face x and y at the centres of `cell` × `cell` pixel squares that tile `rect`."""
        return self.crossing(*cell_centres(rect, cell))

    def crossing(self, columns: F64, rows: F64) -> tuple[F32, F32]:
        """Face x and y where pixel `columns` and `rows` cross."""
        face = self.to_face(np.stack(np.meshgrid(columns, rows), axis=-1))
        return face[..., 0].astype(np.float32), face[..., 1].astype(np.float32)

    def box(self, x0: float, y0: float, x1: float, y1: float) -> Rect:
        """The image box around a box given in the face frame."""
        corners = np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]])
        return Rect.around(self.to_image(corners))


@dataclass(frozen=True)
class FaceOval:
    """A face's outline in the face frame."""

    centre: float
    """x midway between its sides."""
    half: float
    """Half its width."""
    top: float
    """y of its upper end."""
    chin: float
    """y of the chin."""

    @property
    def middle(self) -> float:
        return (self.top + self.chin) / 2

    @staticmethod
    def of(face: F64) -> "FaceOval":
        """From the mesh `face` (468, 2)."""
        x, y = face[lm.OVAL].T
        left, right = float(x.min()), float(x.max())
        return FaceOval((left + right) / 2, (right - left) / 2, float(y.min()), float(face[lm.CHIN, 1]))


def smoothstep(start: float | np.float32, end: float | np.float32, values: F32) -> F32:
    """0 below `start`, 1 above `end`, a cubic without kinks in between."""
    t: F32 = np.clip((values - np.float32(start)) / np.float32(end - start), 0, 1)
    return t * t * (3 - 2 * t)


def border_window(width: int, height: int, rect: Rect, cell: int, margin: float) -> F32:
    """0 at the image's border rising to 1 `margin` pixels inside, at the cells of `rect`.

    Displacement fields are multiplied by it: nothing moves at the frame's border, so nothing from
    outside the picture is ever needed.
    """
    columns, rows = cell_centres(rect, cell)
    inside_x = np.minimum(columns, width - 1 - columns).astype(np.float32)
    inside_y = np.minimum(rows, height - 1 - rows).astype(np.float32)
    edge = 0.15 * margin
    return np.outer(smoothstep(edge, margin, inside_y), smoothstep(edge, margin, inside_x)).astype(np.float32)
