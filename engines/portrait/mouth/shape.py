"""Where the mouth of a portrait is, and the line along which its lips part.

All lengths are in the face frame (IOD). The lip line is what makes or breaks the illusion: where the
photo's lips are closed it is snapped to the darkest line between them, so that the seam that opens is
the seam the eye already sees, and the resting mouth stays the photo's own.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engines.base import UnusablePortraitError
from engines.portrait.face import landmarks as lm
from engines.portrait.face.geometry import FaceFrame, Rect
from engines.portrait.mouth.edges import LipLines, shows_inside, snap_to_lips
from engines.portrait.mouth.seam import is_covered, smoothed, snap_to_seam
from engines.portrait.pixels import F32, F64, U8
from engines.portrait.video.colour import ycc_from_bgr

OPEN_LIP_BIAS, OPEN_LIP_BIAS_PX = 0.004, 0.3
"""The blur between a lip and what is behind it, which has to stay behind, is this wide: IOD plus pixels."""
MIN_OPEN_GAP = 0.02
"""An open mouth is taken to be open by at least this much."""
LOOK_AROUND = 0.3
"""How far around the lips (IOD) the picture matters for whether something lies over them."""


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
    """Distance of the lips at the centre."""
    open: bool
    """Whether the photo shows the inside of the mouth."""
    corners: F64
    """(2, 2) outer corners, left and right."""
    chin: F64
    nose: F64
    oval: F64
    """(36, 2) outline of the face."""

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


def require_mouth_seen(points: F64, bgr: U8) -> None:
    """Raise `UnusablePortraitError` where something lies over the mouth.

    The mesh `points` (468, 2 or 3) are in pixels of the photo `bgr` (H, W, 3).
    """
    frame = FaceFrame.from_landmarks(points)
    whole = Rect(0, 0, bgr.shape[1], bgr.shape[0])
    around = Rect.around(points[lm.OUTER_UPPER_LIP + lm.OUTER_LOWER_LIP, :2], LOOK_AROUND * frame.iod + 4)
    rect = around.clipped(whole)
    if rect.empty:
        return
    ycc = ycc_from_bgr(bgr[rect.luma])
    here = replace(frame, origin=frame.origin - [rect.x0, rect.y0])
    lines = _lip_lines(frame.to_face(points[:, :2]))
    if shows_inside(lines, here, ycc):
        return
    smooth = smoothed(np.ascontiguousarray(ycc[..., 0]), here)
    if is_covered(snap_to_seam(lines, here, smooth), here, smooth):
        raise UnusablePortraitError("mouth_covered")


def measure_mouth(points: F64, frame: FaceFrame, ycc: F32) -> MouthShape:
    """Measure the mouth from mesh `points` (468, 2 or 3) in pixels and its image `ycc` (H, W, 3).

    In the video's pixels; whether the mouth is covered was judged in those of the photo.
    """
    face = frame.to_face(points[:, :2])
    lines = _lip_lines(face)
    is_open = shows_inside(lines, frame, ycc)
    if is_open:
        upper, lower = snap_to_lips(lines, frame, ycc)
        gap = max(float(lower[5, 1] - upper[5, 1]), MIN_OPEN_GAP)
        blurred = OPEN_LIP_BIAS + OPEN_LIP_BIAS_PX / frame.iod
        upper[1:-1, 1] -= blurred
        lower[1:-1, 1] += 1.3 * blurred
    else:
        smooth = smoothed(np.ascontiguousarray(ycc[..., 0]), frame)
        upper = snap_to_seam(lines, frame, smooth)
        lower = upper.copy()
        gap = lines.gap
    centre_x = float(face[[lm.UPPER_LIP_INNER, lm.LOWER_LIP_INNER], 0].mean())
    left, right = max(centre_x - upper[0, 0], 0.12), max(upper[-1, 0] - centre_x, 0.12)
    return MouthShape(
        upper=upper,
        lower=lower,
        centre_x=centre_x,
        half_width=(float(left), float(right)),
        gap=gap,
        open=is_open,
        corners=face[[lm.MOUTH_CORNER_A, lm.MOUTH_CORNER_B]],
        chin=face[lm.CHIN],
        nose=face[lm.NOSE_BASE],
        oval=face[lm.OVAL],
    )


def _lip_lines(face: F64) -> LipLines:
    """Of the mesh `face` (468, 2) in the face frame."""
    curves = (lm.OUTER_UPPER_LIP, lm.INNER_UPPER_LIP, lm.INNER_LOWER_LIP, lm.OUTER_LOWER_LIP)
    return LipLines(*(_rising(face[curve]) for curve in curves))


def _rising(curve: F64) -> F64:
    """The points ordered by x, as interpolation wants them (a turned head can fold the curve)."""
    ordered: F64 = curve[np.argsort(curve[:, 0], kind="stable")].copy()
    return ordered
