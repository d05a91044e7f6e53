"""Moving the head: one smooth warp of the finished picture.

A photo has no back and no sides, so the head cannot really turn. Small turns are suggested by moving
what is near the camera more than what is far (the mesh gives the depth), fading to nothing around the
head. Breathing lifts the shoulders; brows are part of the same warp, because their skin moves as softly.

Fields are *backward* displacements (where a pixel's content comes from), good to first order because they
are smooth and small. They are sampled on a coarse grid and enlarged bilinearly.
"""

from dataclasses import dataclass

import numpy as np

from engines.portrait.face import landmarks as lm
from engines.portrait.face.geometry import (
    FaceFrame,
    FaceOval,
    Rect,
    border_window,
    cell_centres,
    smoothstep,
)
from engines.portrait.face.silhouette import Mask
from engines.portrait.pixels import F32, F64, blur

HEAD_ACTIONS = ("yaw", "pitch", "roll", "shift_x", "shift_y", "breath", "brow_raise", "brow_knit")
"""Order of a frame's head weights: radians for the first three, IOD for the rest."""
BROWS = HEAD_ACTIONS.index("brow_raise")
"""The first action of the brows, which are on the person whatever its outline."""

CELL = 0.08
"""Side of a grid cell in IOD; in pixels it is even and within CELL_PX."""
CELL_PX = (4, 16)
STILL = 0.05
"""Displacement in IOD by all actions at weight 1 together, some twenty times what happens, below which a cell
counts as not moving at all."""
BAND_PX = 24_000
MAX_BANDS = 12
"""The moving area is cut into bands across of about BAND_PX pixels, each as wide as the person is there."""
PROBE_STEP = 3
"""Every so many cells are enough to tell how far the head moves."""
HEAD_FULL, HEAD_NONE = 1.05, 2.1
"""Radii, 1 being the face with its hair, up to which the head moves fully and beyond which not at all."""
DEPTH_SPREAD = 0.05
"""Twice the variance, in IOD², with which the mesh's depth is spread."""
BORDER = 0.55
"""Width in IOD of the band along the image's border in which motion fades out."""


@dataclass(frozen=True)
class HeadRig:
    """The head's warp: (actions, rows * columns * 2) pixels per unit weight over `rect` and one cell more.

    `base` (rows, columns, 2) holds the cells' own centres in pixels of `rect`; `bands` are the parts of
    `rect` that move, in its pixels.
    """

    rect: Rect
    cell: int
    basis: F32
    base: F32
    bands: list[Rect]

    @property
    def moves(self) -> F32:
        """(actions, n) pixels per unit weight at some points all over the head; x and y count as two."""
        grid = self.basis.reshape(-1, *self.base.shape)[:, ::PROBE_STEP, ::PROBE_STEP]
        return grid.reshape(len(self.basis), -1)


@dataclass(frozen=True)
class HeadFields:
    """`moves` (actions, rows, columns, 2): where unit weights would take the `cell`-sized squares that tile
    `reach`, and one around them, if all of it were the person. Pixels."""

    reach: Rect
    cell: int
    unit: float
    """Pixels of one IOD."""
    moves: F32

    @property
    def grid(self) -> Rect:
        rows, columns = self.moves.shape[1:3]
        x0, y0 = self.reach.x0 - self.cell, self.reach.y0 - self.cell
        return Rect(x0, y0, x0 + columns * self.cell, y0 + rows * self.cell)


def build_head(fields: HeadFields, person: Mask, drawn: list[Rect], brows: float) -> HeadRig:
    """Prepare the warp of a portrait, in which nothing but the `person` moves.

    `drawn` are the parts of the picture that are painted anew in every frame, which the warp has to carry
    over even where it moves nothing. `brows` 0..1 scales how far the brows move.
    """
    reach, cell, moves = fields.reach, fields.cell, fields.moves.copy()
    moves[:BROWS] *= person.at_cells(fields.grid, cell)[..., None]
    moves[BROWS:] *= np.float32(brows)
    moving = np.abs(moves).sum(axis=(0, -1)) / fields.unit > STILL
    for part in drawn:
        moving[_cells(part, reach, cell)] = True
    rows, columns = np.flatnonzero(moving.any(axis=1)), np.flatnonzero(moving.any(axis=0))
    # the grid has one cell more than the box on every side, see `HeadFields`
    rect = Rect(
        reach.x0 + (int(columns[0]) - 1) * cell,
        reach.y0 + (int(rows[0]) - 1) * cell,
        reach.x0 + int(columns[-1]) * cell,
        reach.y0 + int(rows[-1]) * cell,
    ).clipped(reach)
    rows_kept = (rect.height + cell - 1) // cell + 2
    columns_kept = (rect.width + cell - 1) // cell + 2
    row, column = (rect.y0 - reach.y0) // cell, (rect.x0 - reach.x0) // cell
    kept = moves[:, row : row + rows_kept, column : column + columns_kept]
    shape = kept.shape[1:3]
    centres = [(np.arange(count) - 1) * cell + (cell - 1) / 2 for count in (shape[1], shape[0])]
    base = np.stack(np.meshgrid(*centres), axis=-1).astype(np.float32)
    basis = -kept.reshape(len(HEAD_ACTIONS), -1).astype(np.float32)
    inside = moving[row + 1 : row + rows_kept - 1, column + 1 : column + columns_kept - 1]
    return HeadRig(rect, cell, basis, base, _bands(inside, cell, rect))


def _cells(part: Rect, reach: Rect, cell: int) -> tuple[slice, slice]:
    """The cells of the grid around `reach` that `part` touches."""
    part = part.clipped(reach)
    rows = slice((part.y0 - reach.y0) // cell + 1, -(-(part.y1 - reach.y0) // cell) + 1)
    columns = slice((part.x0 - reach.x0) // cell + 1, -(-(part.x1 - reach.x0) // cell) + 1)
    return rows, columns


def _bands(moving: np.ndarray[tuple[int, int], np.dtype[np.bool_]], cell: int, rect: Rect) -> list[Rect]:
    """Boxes in the pixels of `rect` that hold every True of `moving` (rows, columns)."""
    count = int(np.clip(round(rect.width * rect.height / BAND_PX), 1, MAX_BANDS))
    tall = max(1, -(-len(moving) // count))
    bands = []
    for top in range(0, len(moving), tall):
        columns = np.flatnonzero(moving[top : top + tall].any(axis=0))
        if len(columns):
            left, right = int(columns[0]) * cell, (int(columns[-1]) + 1) * cell
            band = Rect(left, top * cell, right, (top + tall) * cell)
            bands.append(band.clipped(Rect(0, 0, rect.width, rect.height)))
    return bands


def sample_head(points: F64, frame: FaceFrame, reach: Rect, size: tuple[int, int]) -> HeadFields:
    """The fields within `reach` of a portrait of `size` (width, height) from its mesh `points` (468, 3)."""
    cell = int(np.clip(round(CELL * frame.iod / 2) * 2, *CELL_PX))
    face = frame.to_face(points[:, :2])
    rows, columns = (reach.height + cell - 1) // cell + 2, (reach.width + cell - 1) // cell + 2
    fields = HeadFields(reach, cell, frame.iod, np.empty((len(HEAD_ACTIONS), rows, columns, 2), np.float32))
    x, y = frame.coordinates(fields.grid, cell)
    window = border_window(*size, fields.grid, cell, BORDER * frame.iod)[..., None]
    actions = _actions(x, y, _depth(points, frame, fields.grid, cell), face)
    for moves, name in zip(fields.moves, HEAD_ACTIONS, strict=True):
        moves[:] = frame.vectors(*actions[name]) * window
    return fields


def _actions(x: F32, y: F32, depth: F32, face: F64) -> dict[str, tuple[F32, F32]]:
    """Every action's displacement in IOD (rows, columns), twice, at face positions `x`, `y` of that `depth`.

    `face` (468, 2) is the mesh in the face frame.
    """
    oval = FaceOval.of(face)
    mask = head_mask(x, y, oval)
    depth = depth * mask
    zero = np.zeros_like(x)
    aside = np.abs(x - oval.centre)
    shoulders: F32 = smoothstep(oval.chin + 0.3, oval.chin + 1.3, y) * (
        1 - smoothstep(1.8 * oval.half, 2.6 * oval.half, aside)
    )
    raise_mask, knit_mask = _brow_masks(x, y, face)
    return {
        "yaw": (depth + 0.25 * mask, zero),
        "pitch": (zero, depth + 0.15 * mask),
        "roll": (-(y - oval.chin - 0.5) * mask, (x - oval.centre) * mask),
        "shift_x": (mask, zero),
        "shift_y": (zero, mask),
        "breath": (zero, -(shoulders + 0.35 * mask)),
        "brow_raise": (zero, -raise_mask),
        "brow_knit": knit_mask,
    }


def head_mask(x: F32, y: F32, oval: FaceOval) -> F32:
    """1 over the head and falling to 0 around it, with the neck following less and less downward."""
    half, middle, chin = oval.half, oval.middle, oval.chin
    radius = np.sqrt(
        (np.abs(x - oval.centre) / (1.22 * half)) ** 2
        + (np.clip(middle - y, 0, None) / (middle - oval.top + 0.75)) ** 2
        + (np.clip(y - middle, 0, None) / (chin - middle + 0.12)) ** 2
    )
    head = 1 - smoothstep(HEAD_FULL, HEAD_NONE, radius)
    neck = (1 - smoothstep(chin + 0.05, chin + 1.5, y)) * (
        1 - smoothstep(half, 2.4 * half, np.abs(x - oval.centre))
    )
    joined = np.maximum(head, neck * smoothstep(middle, chin + 0.1, y))
    return blur(joined.astype(np.float32), max(1.0, x.shape[1] * 0.02))


def _depth(points: F64, frame: FaceFrame, grid: Rect, cell: int) -> F32:
    """How far each cell lies in front of the face's rim, in IOD; the mesh's depth, smoothly spread.

    The spread is a Gaussian and so the product of one along the columns and one along the rows.
    """
    near, depth = points[::3], points[::3, 2] / frame.iod
    rim = np.percentile(points[:, 2], 97) / frame.iod
    columns, rows = cell_centres(grid, cell)
    across, down = (
        np.exp((np.subtract.outer(at, near[:, axis]) / frame.iod) ** 2 / -DEPTH_SPREAD)
        for axis, at in enumerate((columns, rows))
    )
    # not by NumPy's BLAS, which would start threads of its own
    weight = np.einsum("rp,cp->rc", down, across) + 1e-4
    total = np.einsum("rp,cp->rc", down * depth, across) + 1e-4 * rim
    return blur((rim - total / weight).astype(np.float32), max(1.0, len(columns) * 0.03))


def _brow_masks(x: F32, y: F32, face: F64) -> tuple[F32, tuple[F32, F32]]:
    """The lift of both brows, and their knitting: inner ends down and together."""
    lift, knit_x, knit_y = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for brow, inner in ((lm.BROW_A, 1.0), (lm.BROW_B, -1.0)):
        centre = face[brow].mean(axis=0).astype(np.float32)
        tall = np.where(y < centre[1], np.float32(0.32), np.float32(0.10))
        bell = np.exp(-(((x - centre[0]) / 0.38) ** 2) - ((y - centre[1]) / tall) ** 2)
        lift = np.maximum(lift, bell)
        head = centre + np.array([0.22 * inner, 0.02], np.float32)
        close = np.exp(
            -(((x - head[0]) / 0.24) ** 2) - ((y - head[1]) / np.where(y < head[1], 0.30, 0.12)) ** 2
        )
        knit_x += np.float32(0.6 * inner) * close
        knit_y += close
    return lift.astype(np.float32), (knit_x.astype(np.float32), knit_y.astype(np.float32))
