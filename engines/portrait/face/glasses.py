"""Whether the person wears glasses, whose rims must not bend when the brows behind them move."""

import numpy as np

from engines.portrait.face import landmarks as lm
from engines.portrait.face.geometry import FaceFrame, Rect, smoothstep
from engines.portrait.pixels import F32, F64, blur, remap_float

BRIDGE_ASIDE, BRIDGE_ABOVE, BRIDGE_BELOW = 0.11, 0.25, 0.35
"""The part of the nose's root, in IOD around the line of the eyes, across which a bridge would run."""
COLUMNS, ROWS = 15, 60
SKIN_SIGMA = 8.0
"""Rows over which the nose's own light and shade change; a bridge is narrower."""
EDGE_ROWS = 6
SURELY_NOT, SURELY = 0.09, 0.13
"""How far a bridge stands out from the skin around it, relative to the skin's brightness. Deep frowns reach
as much; their brows then stay calmer than they need to."""
FREEDOM_UNDER_RIMS = 0.15
"""Share of the brows' movement that is left, which bends a rim by less than a pixel."""


def brow_freedom(face: F64, frame: FaceFrame, luma: F32) -> float:
    """How far the brows may move, 1 without glasses; `face` (468, 2) is the mesh, `luma` (H, W) the photo."""
    return 1 - (1 - FREEDOM_UNDER_RIMS) * glasses_likelihood(face, frame, luma)


def glasses_likelihood(face: F64, frame: FaceFrame, luma: F32) -> float:
    """0 where there are surely no glasses, 1 where a bridge crosses the root of the nose."""
    middle = float(face[lm.NOSE_ROOT, 0])
    x, y = np.meshgrid(
        middle + np.linspace(-BRIDGE_ASIDE, BRIDGE_ASIDE, COLUMNS),
        np.linspace(-BRIDGE_ABOVE, BRIDGE_BELOW, ROWS),
    )
    places = frame.to_image(np.stack([x, y], axis=-1)).astype(np.float32)
    whole = Rect(0, 0, luma.shape[1], luma.shape[0])
    box = Rect.around(places.reshape(-1, 2), margin=4).clipped(whole)
    if min(box.size) < 4:
        return 0.0
    smooth = blur(np.ascontiguousarray(luma[box.luma]), max(0.6, 0.012 * frame.iod))
    rows = np.median(remap_float(smooth, places - np.array([box.x0, box.y0], np.float32)), axis=1)
    # a bridge crosses all columns at one height
    own = blur(np.ascontiguousarray(rows[:, None], np.float32), SKIN_SIGMA)[:, 0]
    stands_out = np.abs(rows - own)[EDGE_ROWS:-EDGE_ROWS].max() / max(float(np.median(rows)), 1.0)
    return float(smoothstep(SURELY_NOT, SURELY, np.array([stands_out], np.float32))[0])
