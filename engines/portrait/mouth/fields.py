"""The displacement fields of the mouth: how each facial action moves the skin.

The mouth moves in two layers that slide past each other at the lips: what belongs to the upper lip and
what belongs to the lower lip and jaw. Each action has one field per layer, defined everywhere in the
region, and away from the lips both layers agree, so that no tear shows. A pose is a weighted sum.

Fields are *forward* displacements (where a point of the photo goes), sampled on a coarse grid of square
cells. Fields are smooth on the scale of a cell, so the coarse grid loses nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engines.portrait.face.geometry import FaceFrame, Rect, border_window
from engines.portrait.face.silhouette import Mask
from engines.portrait.mouth.parts import Parts, half_face, lateral_centre
from engines.portrait.mouth.shape import MouthShape
from engines.portrait.pixels import F32

ACTIONS = ("jaw", "close", "raise_upper", "raise_lower", "press", "wide", "pucker", "relax", "smile")
"""Order of the weights of a pose."""

CELL = 0.042
"""Side of a grid cell in IOD, made even pixels or one; finer shows no gain, coarser dents the corners."""

BORDER = 0.50
"""Width in IOD of the band along the border in which motion fades out: a dropping chin must fit into
it without folding."""
JAW = 0.30
"""Opening of the lips at a jaw's full drop."""
MAX_DENSER = 0.85
"""A dropped chin may squeeze what is below it by this share; at 1 the skin would fold."""


@dataclass(frozen=True)
class MouthFields:
    """`upper` and `lower`: (actions, rows * columns * 2), forward displacement in pixels of unit weight."""

    rect: Rect
    cell: int
    columns: int
    rows: int
    upper: F32
    lower: F32


def mouth_region(shape: MouthShape, frame: FaceFrame, width: int, height: int) -> tuple[Rect, int]:
    """The part of the image the mouth's fields can move, and the side of a grid cell in pixels."""
    reach = 1.14 * half_face(shape)
    centre = lateral_centre(shape)
    box = frame.box(centre - reach, shape.nose[1] - 0.35, centre + reach, shape.chin[1] + 0.66).clipped(
        Rect(0, 0, width, height)
    )
    cell = max(1, round(CELL * frame.iod / 2) * 2)
    columns, rows = max(4, box.width // cell), max(4, box.height // cell)
    return Rect(box.x0, box.y0, box.x0 + columns * cell, box.y0 + rows * cell), cell


def build_fields(
    shape: MouthShape, frame: FaceFrame, person: Callable[[], Mask], width: int, height: int
) -> MouthFields:
    """Sample every action's field for a portrait of `width` × `height` pixels; only the `person` moves.

    The person may still be looked for, and is asked for when all else is done.
    """
    rect, cell = mouth_region(shape, frame, width, height)
    x, y = frame.coordinates(rect, cell)
    window = border_window(width, height, rect, cell, BORDER * frame.iod)[..., None]
    zero = np.zeros_like(x)
    parts = Parts.sample(shape, x, y)
    layers = {
        "jaw": parts.jaw(),
        "close": parts.shut(),
        "raise_upper": ((zero, -parts.above * parts.lip_reach()), (zero, zero)),
        "raise_lower": ((zero, zero), (zero, parts.below * parts.lens)),
        "press": ((zero, parts.above * parts.lens), (zero, -parts.below * parts.lens)),
        "wide": parts.both(*parts.widen()),
        "pucker": parts.both(*parts.purse()),
        "relax": parts.both(*parts.corner_pull(0.9, 1.0)),
        "smile": parts.both(*parts.corner_pull(-0.75, -1.0)),
    }
    stacks = []
    for side in (0, 1):
        fields = [frame.vectors(*layers[name][side]) * window for name in ACTIONS]
        stacks.append(np.stack(fields).astype(np.float32))
    moving = person().at_cells(rect, cell)[..., None]
    for stack in stacks:
        stack *= moving
    jaw = ACTIONS.index("jaw")
    squeeze = max(float(-np.diff(stack[jaw, ..., 1], axis=0).min(initial=0)) / cell for stack in stacks)
    for stack in stacks:
        stack[jaw] *= np.float32(min(1.0, MAX_DENSER / max(JAW * squeeze, 1e-6)))
    stacks = [stack.reshape(len(ACTIONS), -1) for stack in stacks]
    return MouthFields(rect, cell, x.shape[1], x.shape[0], stacks[0], stacks[1])
