"""Where the mouth of a portrait is, and the line along which its lips part.

All lengths are in the face frame (IOD). The lip line is what makes or breaks the illusion: where the
photo's lips are closed it is snapped to the darkest line between them, so that the seam that opens is
the seam the eye already sees, and the resting mouth stays the photo's own.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from videos.engines.portrait import landmarks as lm
from videos.engines.portrait.geometry import FaceFrame
from videos.engines.portrait.pixels import F32, F64, blur, remap_float

OPEN_GAP = 0.045
"""Lips further apart than this in the photo show teeth or an open mouth."""
SEAM_SEARCH = 0.045
"""How far from the mesh's lip line the dark seam is looked for."""
SEAM_STEPS = 31
SEAM_PULL = 0.8
"""Share of the way from the mesh's line to the darkest line."""
SEAM_PRIOR = 12.0
"""Luma penalty at the end of the search range: prefers the mesh's line when in doubt."""
OPEN_LIP_BIAS = 0.018
"""The mesh puts inner lip points onto the teeth by about this much."""
EDGE_STEPS = 41
EDGE_BEYOND = 0.05
"""How far outside the mesh's opening the lips' real edge is looked for."""
EDGE_INSIDE = 0.46
"""How far inside it, as a share of the gap."""
EDGE_MIN_CONTRAST = 6.0
"""Code values across which an edge between teeth and lip must jump to be believed."""
REDNESS, DARKNESS = 2.0, 0.5
"""Lips differ from teeth by more Cr and less luma, weighted so."""
TOOTH_MIN_LUMA = 80


@dataclass(frozen=True)
class MouthShape:
    """The resting mouth of one portrait, in the face frame."""

    upper: F64
    """(11, 2) inner edge of the upper lip, corner to corner, x rising."""
    lower: F64
    """(11, 2) inner edge of the lower lip; the same as `upper` where the lips are closed."""
    centre_x: float
    half_width: tuple[float, float]
    """Distance from the centre to the left and the right corner."""
    gap: float
    """Distance of the lips at the centre, by the mesh."""
    corners: F64
    """(2, 2) outer corners, left and right."""
    chin: F64
    nose: F64
    oval: F64
    """(36, 2) outline of the face."""

    @property
    def open(self) -> bool:
        """Whether the photo shows the inside of the mouth."""
        return self.gap > OPEN_GAP

    def upper_y(self, x: F32 | F64) -> F32:
        return np.interp(x, self.upper[:, 0], self.upper[:, 1]).astype(np.float32)

    def lower_y(self, x: F32 | F64) -> F32:
        return np.interp(x, self.lower[:, 0], self.lower[:, 1]).astype(np.float32)

    def across(self, x: F32) -> F32:
        """Distance from the mouth's centre as a share of the half width on that side."""
        left, right = self.half_width
        share = np.where(x < self.centre_x, (self.centre_x - x) / left, (x - self.centre_x) / right)
        return share.astype(np.float32)

    @cached_property
    def smile(self) -> float:
        """How much the photo smiles already, 0..1, from how high and how far apart the corners are."""
        lift = (self.upper[5, 1] + self.lower[5, 1]) / 2 - self.corners[:, 1].mean()
        spread = self.corners[1, 0] - self.corners[0, 0]
        return float(np.clip((lift - 0.02) / 0.12, 0, 1) * np.clip((spread - 0.80) / 0.18, 0, 1))


def measure_mouth(points: F64, frame: FaceFrame, ycc: F32) -> MouthShape:
    """Measure the mouth from mesh `points` (468, 2 or 3) in pixels and its image `ycc` (H, W, 3)."""
    face = frame.to_face(points[:, :2])
    upper = _rising(face[lm.INNER_UPPER_LIP])
    lower = _rising(face[lm.INNER_LOWER_LIP])
    gap = float(face[lm.LOWER_LIP_INNER, 1] - face[lm.UPPER_LIP_INNER, 1])
    if gap > OPEN_GAP:
        upper, lower = _snap_to_teeth(upper, lower, frame, ycc)
        upper[1:-1, 1] -= OPEN_LIP_BIAS
        lower[1:-1, 1] += 1.3 * OPEN_LIP_BIAS
        gap = float(lower[5, 1] - upper[5, 1]) - 2 * OPEN_LIP_BIAS
    else:
        upper = _snap_to_seam((upper + lower) / 2, frame, np.ascontiguousarray(ycc[..., 0]))
        lower = upper.copy()
    centre_x = float(face[[lm.UPPER_LIP_INNER, lm.LOWER_LIP_INNER], 0].mean())
    left, right = max(centre_x - upper[0, 0], 0.12), max(upper[-1, 0] - centre_x, 0.12)
    return MouthShape(
        upper=upper,
        lower=lower,
        centre_x=centre_x,
        half_width=(float(left), float(right)),
        gap=gap,
        corners=face[[lm.MOUTH_CORNER_A, lm.MOUTH_CORNER_B]],
        chin=face[lm.CHIN],
        nose=face[lm.NOSE_BASE],
        oval=face[lm.OVAL],
    )


def _rising(curve: F64) -> F64:
    """The points ordered by x, as interpolation wants them (a turned head can fold the curve)."""
    ordered: F64 = curve[np.argsort(curve[:, 0], kind="stable")].copy()
    return ordered


def _snap_to_teeth(upper: F64, lower: F64, frame: FaceFrame, ycc: F32) -> tuple[F64, F64]:
    """Move the lips' inner edges to where the teeth end; the mesh draws a grin too wide open.

    Looks along the line from the middle of the opening outward for the steepest change from tooth to lip.
    Edges without a clear one follow their neighbours; without any, the mesh stands.
    """
    middle = (upper + lower) / 2
    snapped = []
    for edge, outward in ((upper, -1.0), (lower, 1.0)):
        gap = np.abs(edge[1:-1, 1] - middle[1:-1, 1]) * 2
        steps = np.linspace(0, 1, EDGE_STEPS)
        reach = gap * EDGE_INSIDE + EDGE_BEYOND  # from well inside to a little beyond the mesh's edge
        start = edge[1:-1, 1] - outward * gap * EDGE_INSIDE
        probes = np.repeat(edge[1:-1, None], EDGE_STEPS, axis=1)
        probes[..., 1] = start[:, None] + outward * reach[:, None] * steps
        values = remap_float(ycc, frame.to_image(probes).astype(np.float32))
        lip = REDNESS * values[..., 2] - DARKNESS * values[..., 0]
        jump = np.zeros_like(lip)
        jump[:, 3:-3] = lip[:, 6:] - lip[:, :-6]
        best = jump.argmax(axis=1)
        rows = np.arange(len(best))
        clear = (jump[rows, best] > EDGE_MIN_CONTRAST) & (values[:, :4, 0].mean(axis=1) > TOOTH_MIN_LUMA)
        moved = outward * (probes[rows, best, 1] - edge[1:-1, 1])
        result = edge.copy()
        if clear.sum() >= 3:
            share = np.interp(rows, rows[clear], (moved / np.maximum(gap, 1e-3))[clear])
            share = np.convolve(np.pad(share, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
            result[1:-1, 1] += outward * share * gap
        snapped.append(result)
    return snapped[0], snapped[1]


def _snap_to_seam(line: F64, frame: FaceFrame, luma: F32) -> F64:
    """Move each inner point of `line` (11, 2) up or down to the darkest place nearby."""
    smooth = blur(luma, max(0.6, 0.012 * frame.iod))
    offsets = np.linspace(-SEAM_SEARCH, SEAM_SEARCH, SEAM_STEPS)
    probes = np.repeat(line[1:-1, None], SEAM_STEPS, axis=1)
    probes[..., 1] += offsets
    values = remap_float(smooth, frame.to_image(probes).astype(np.float32))
    values = values + ((offsets / SEAM_SEARCH) ** 2 * SEAM_PRIOR).astype(np.float32)
    snapped = line.copy()
    snapped[1:-1, 1] += SEAM_PULL * offsets[values.argmin(axis=1)]
    snapped[1:-1, 1] = np.convolve(snapped[:, 1], [0.25, 0.5, 0.25], "valid")
    return snapped
