"""Rendering the mouth of one frame.

Two passes over the photo, one per layer, each sampled through the inverse of that layer's forward
displacement; a mask along the parting lips chooses between them; the interior shows where they gape.
All positions here are in pixels of the mouth's region.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engines.portrait.face.geometry import FaceFrame
from engines.portrait.face.silhouette import Mask
from engines.portrait.mouth.fields import ACTIONS, MouthFields, build_fields, mouth_region
from engines.portrait.mouth.interior import MouthInterior, build_interior
from engines.portrait.mouth.opening import Lips, OpeningRenderer, PreparedOpening
from engines.portrait.mouth.parts import chin_rise
from engines.portrait.mouth.pose import Inside
from engines.portrait.mouth.shape import MouthShape, measure_mouth
from engines.portrait.mouth.warp import MouthWarp, PreparedWarp
from engines.portrait.pixels import F32, F64, U8, remap, remap_float, resize_u8
from engines.portrait.video.colour import Planes

LIP_POINTS = 41
"""Points along each lip's edge, denser towards the corners."""
WEIGHT_STEP = 1 / 2048
"""Weights are rounded to this; rounded poses that repeat are not drawn again."""
FINE, FINE_MAX_PX = 3, 60_000
"""Regions up to this many pixels are sampled from a copy so many times larger: bilinear samples of a bicubic
enlargement are as sharp as bicubic samples at a quarter of their price. Larger regions do not need it."""
JAW, CLOSE, RAISE_UPPER = (ACTIONS.index(name) for name in ("jaw", "close", "raise_upper"))


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
    edge_moves: F32
    """(actions, 2 * LIP_POINTS * 2) how unit weights move both edges, in pixels."""
    luma: U8
    """The photo's planes within the region."""
    cb: U8
    cr: U8
    enlarged: int
    fine_luma: U8
    """`luma`, `enlarged` times larger."""


def build_mouth(
    points: F64, frame: FaceFrame, ycc: F32, planes: Planes, person: Callable[[], Mask]
) -> MouthRig:
    """Prepare the mouth of a portrait from its mesh `points` (468, 3), image `ycc` and `planes`.

    The `person` may still be looked for, and is asked for when nearly all else is done.
    """
    shape = measure_mouth(points, frame, ycc)
    rect, _ = mouth_region(shape, frame, planes.width, planes.height)
    along = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, LIP_POINTS))
    x = shape.upper[0, 0] + (shape.upper[-1, 0] - shape.upper[0, 0]) * along
    corner = np.array([rect.x0, rect.y0])
    edges = [
        (frame.to_image(np.stack([x, y], axis=-1)) - corner).astype(np.float32)
        for y in (shape.upper_y(x), shape.lower_y(x))
    ]
    interior = build_interior(shape, frame, points, ycc, rect)
    luma = planes.y[rect.luma].copy()
    enlarged = FINE if luma.size <= FINE_MAX_PX else 1
    fine = resize_u8(luma, (rect.width * enlarged, rect.height * enlarged), smooth=False)
    fields = build_fields(shape, frame, person, planes.width, planes.height)
    return MouthRig(
        shape, fields, interior, frame, edges[0], edges[1], _edge_moves(fields, edges),
        luma, planes.u[rect.chroma].copy(), planes.v[rect.chroma].copy(), enlarged, fine,
    )  # fmt: skip


def _edge_moves(fields: MouthFields, edges: list[F32]) -> F32:
    """The fields (actions, 2 * n * 2) sampled along the upper and the lower lip's edge (n, 2)."""
    cell = np.float32(fields.cell)
    cells = [((edge - (cell - 1) / 2) / cell)[None] for edge in edges]
    moves = []
    for upper, lower in zip(fields.upper, fields.lower, strict=True):
        layers = (layer.reshape(fields.rows, fields.columns, 2) for layer in (upper, lower))
        moves.append([remap_float(layer, at)[0] for layer, at in zip(layers, cells, strict=True)])
    return np.array(moves, np.float32).reshape(len(moves), -1)


@dataclass(frozen=True)
class PreparedPose:
    """One frame's mouth, ready to be drawn."""

    weights: F32
    inside: Inside
    warp: PreparedWarp
    opening: PreparedOpening | None


class MouthRenderer:
    """Draws poses of one mouth into pictures. One per thread: it remembers the last frame."""

    def __init__(self, rig: MouthRig) -> None:
        self._rig = rig
        self._edges = np.stack([rig.upper_edge, rig.lower_edge])
        self._warp = MouthWarp(rig.fields, rig.frame, self._edges.mean(axis=0), rig.enlarged)
        self._opening = OpeningRenderer(rig.interior, rig.frame, rig.fields.rect, grin=rig.shape.open)
        self._chin_rise = np.float32(chin_rise(rig.shape))
        self._down = rig.frame.axes[1].astype(np.float32)
        self._drawn: tuple[bytes, Inside] | None = None

    def reset(self) -> None:
        """Forget the last frame, so that what follows does not depend on it."""
        self._warp.reset()
        self._drawn = None

    def prepare(self, weights: F32, insides: list[Inside]) -> list[PreparedPose]:
        """Ready several frames' poses (n, actions) for `draw`: small sums cost little more for all at once.

        `insides` say what shows of the painted interior over what the photo itself shows between the lips.
        """
        weights = np.round(weights / WEIGHT_STEP) * np.float32(WEIGHT_STEP)
        edges = self._edges + (weights @ self._rig.edge_moves).reshape(-1, *self._edges.shape)
        upper, lower = edges[:, 0], edges[:, 1]
        gap: F32 = (lower - upper) @ self._down
        middle: F32 = (upper + lower) * np.float32(0.5)
        crossed = (gap < 0)[..., None]
        upper, lower = np.where(crossed, middle, upper), np.where(crossed, middle, lower)
        warps = self._warp.prepare(weights, middle)
        jaws = weights[:, JAW] - self._chin_rise * weights[:, CLOSE]
        lips = Lips(upper, lower, gap, jaws, weights[:, RAISE_UPPER], np.array(insides, np.float32))
        openings = self._opening.prepare(lips)
        return [PreparedPose(*parts) for parts in zip(weights, insides, warps, openings, strict=True)]

    def draw(self, pose: PreparedPose, canvas: Planes) -> bool:
        """Draw `pose` into the region of `canvas`; False if it is there already."""
        key = (pose.weights.tobytes(), pose.inside)
        if key == self._drawn:
            return False
        self._drawn = key
        rig, rect = self._rig, self._rig.fields.rect
        luma, chroma = canvas.y[rect.luma], (canvas.u[rect.chroma], canvas.v[rect.chroma])
        if not pose.weights.any():
            luma[:], chroma[0][:], chroma[1][:] = rig.luma, rig.cb, rig.cr
            return True
        coords, half = self._warp.maps(pose.warp)
        remap(rig.fine_luma, coords, out=luma)
        remap(rig.cb, half, out=chroma[0])
        remap(rig.cr, half, out=chroma[1])
        if pose.opening is not None:
            pose.opening.draw(luma, chroma)
        return True
