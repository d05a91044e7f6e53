"""Teeth: painted rows, and the portrait's own where it shows them.

Own teeth are continued under the lip that covers their roots, so that they are uncovered rather than
stretched when the lips part. Those above the dark between the rows stay with the skull, those below it move
with the jaw.
"""

from dataclasses import dataclass

import numpy as np

from videos.engines.portrait.colour import BLACK, NEUTRAL
from videos.engines.portrait.geometry import FaceFrame, Rect, smoothstep
from videos.engines.portrait.mouth.shape import MouthShape
from videos.engines.portrait.pixels import F32, F64, blur, remap_float

UPPER_TEETH = (0.125, 0.10, 0.095, 0.07, 0.05, 0.04)
"""Widths in IOD of one side's upper teeth from the middle out, foreshortened towards the cheek."""
LOWER_TEETH = (0.075, 0.08, 0.085, 0.08, 0.06)
ROW_IN_MOUTH = 0.95
"""A row of teeth is no longer than this share of the mouth."""
ARCH = 0.035
"""How much the row of teeth curves, IOD at its end."""
ROUND_EDGE = 0.013
"""How much the biting edge rises from the middle of a tooth to its sides."""
SHORT_LATERAL = 0.010
"""The second incisor is this much shorter."""
SEAM_DARK, SEAM_WIDE = 0.16, 0.009
"""The gaps between teeth."""
MIN_LIGHT, SURE_LIGHT = 0.55, 1.10
"""Brightness relative to the skin: what is darker is not tooth, what is brighter can be nothing else."""
MAX_REDNESS = 0.90
"""In between, tongue and lips are at least as red as this share of the skin's redness."""
REDNESS_SOFT = 8.0
"""Code values of Cr from tooth to gum or lip."""
OPEN_EDGE = 0.011
"""The lips' own inner edge, left out of what counts as inside."""
ONE_ROW_GAP = 0.09
"""Mouths less open than this show too little of their teeth to be reused."""
TWO_ROWS_GAP = 0.25
"""Mouths less open than this show one row of teeth at most."""
BETWEEN_STEPS = 32
MIN_ROW_STEPS = 5
BETWEEN_DARK, ROW_BRIGHT = 0.25, 0.45
"""Share of tooth along the middle of the mouth, below which there is the dark between two rows, and above
which there is a row."""


@dataclass(frozen=True)
class Teeth:
    """`colour` (h, w, 3) Y, Cb, Cr and `cover` (h, w) 0..1 of a row of teeth."""

    colour: F32
    cover: F32


def painted_row(
    shape: MouthShape, x: F32, y: F32, edge_y: float, iod: float, colour: F64, *, upper: bool
) -> Teeth:
    """A row at face positions (h, w) with its biting edge at `edge_y`, `colour` in full light."""
    widths = np.array(UPPER_TEETH if upper else LOWER_TEETH)
    widths *= min(1.0, ROW_IN_MOUTH * sum(shape.half_width) / 2 / float(widths.sum()))
    sign = 1.0 if upper else -1.0
    soft = 0.012 + 0.7 / iod
    borders = np.concatenate([[0], np.cumsum(widths)])
    away = np.abs(x - np.float32(shape.centre_x))
    tooth = np.clip(np.searchsorted(borders, away) - 1, 0, len(widths) - 1)
    width = widths.astype(np.float32)[tooth]
    within = (away - borders[tooth].astype(np.float32)) / width - 0.5  # -.5 .. .5 across one tooth
    reach = away / np.float32(borders[-1])
    short = SHORT_LATERAL * (tooth == 1) if upper else 0.0
    edge = edge_y - sign * (ARCH * reach**2 + ROUND_EDGE * np.abs(within * 2) ** 3 + short)
    inside = (edge - y) * sign
    cover = smoothstep(-soft, soft, inside) * smoothstep(-soft, soft, borders[-1] - away)
    seam = 1 - SEAM_DARK * np.exp(-(((np.abs(within) - 0.5) * width / (SEAM_WIDE + 0.4 / iod)) ** 2))
    round_off = 0.94 + 0.06 * np.cos(within * np.pi)
    shade = seam * round_off * (1 - 0.55 * reach**1.8) * (1 - 0.15 * smoothstep(0.05, 0.20, inside))
    grey = np.array([BLACK, NEUTRAL, NEUTRAL])
    gain = shade[..., None] * np.array([1, 0, 0]) + np.array([0, 1, 1])
    return Teeth((grey + (colour - grey) * gain).astype(np.float32), cover.astype(np.float32))


def own_teeth(
    shape: MouthShape, frame: FaceFrame, ycc: F32, rect: Rect, skin: F64
) -> tuple[Teeth | None, Teeth | None]:
    """The upper and lower teeth that the photo `ycc` (H, W, 3) shows within `rect`; None for a hidden row.

    `skin` is the skin's Y, Cb, Cr: what is as red as skin is tongue or lip.
    """
    x, y = frame.coordinates(rect)
    top, bottom = shape.upper_y(x) + OPEN_EDGE, shape.lower_y(x) - OPEN_EDGE
    skip = 0.028 + 0.6 / frame.iod
    across = shape.across(x)
    core = (y > top + skip) & (y < bottom - skip) & (across < 0.9)
    patch = np.ascontiguousarray(ycc[rect.luma])
    if shape.gap < ONE_ROW_GAP or core.sum() <= 10:
        return None, None
    bright = float(np.percentile(patch[..., 0][core], 85))
    threshold = BLACK + 0.50 * (bright - BLACK)
    light = (bright - BLACK) / max(skin[0] - BLACK, 1.0)
    redness = float(np.median(patch[..., 2][core & (patch[..., 0] > threshold)])) - NEUTRAL
    if light < MIN_LIGHT or (light < SURE_LIGHT and redness > MAX_REDNESS * max(skin[2] - NEUTRAL, 1.0)):
        return None, None
    upper_seen, parting = _rows(shape, patch[..., 0], x, y, core & (across < 0.6), threshold)
    reddest = max(redness + REDNESS_SOFT, MAX_REDNESS * float(skin[2] - NEUTRAL))
    part_y = top + np.float32(parting) * (bottom - top)
    here = np.stack(np.meshgrid(np.arange(rect.width), np.arange(rect.height)), axis=-1)

    def row(towards: F32, kept: F32, seen: bool) -> Teeth | None:
        """The row in `kept`, with what lies under the lip taken from positions `towards`."""
        if not seen:
            return None
        lift = frame.vectors(np.zeros_like(x), towards - y)
        colour = remap_float(patch, (here + lift).astype(np.float32))
        cover = smoothstep(threshold - 14, threshold + 14, colour[..., 0]) * kept
        cover *= 1 - smoothstep(reddest, reddest + REDNESS_SOFT, colour[..., 2] - NEUTRAL)
        cover = cover * smoothstep(0, 0.05, x - shape.upper[0, 0])
        cover = cover * smoothstep(0, 0.05, shape.upper[-1, 0] - x)
        return Teeth(colour, np.clip(blur(cover.astype(np.float32), max(0.5, 0.006 * frame.iod)), 0, 1))

    above = (y < np.minimum(part_y, bottom - 0.5 * skip)).astype(np.float32)
    below = (y > np.maximum(part_y, top + 0.5 * skip)).astype(np.float32)
    return (
        row(np.maximum(y, np.minimum(top + skip, part_y)), above, upper_seen),
        row(np.minimum(y, np.maximum(bottom - skip, part_y)), below, parting < 1),
    )


def _rows(
    shape: MouthShape, luma: F32, x: F32, y: F32, where: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    threshold: float,
) -> tuple[bool, float]:  # fmt: skip
    """Whether upper teeth show, and how far down the opening the dark between two rows is; 1 without."""
    if shape.gap < TWO_ROWS_GAP:
        return True, 1.0
    top, bottom = shape.upper_y(x), shape.lower_y(x)
    down = ((y - top) / np.maximum(bottom - top, 1e-3))[where]
    step = np.clip((down * BETWEEN_STEPS).astype(int), 0, BETWEEN_STEPS - 1)
    pixels = np.bincount(step, minlength=BETWEEN_STEPS)
    tooth = np.bincount(step, luma[where] > threshold, BETWEEN_STEPS) / np.maximum(1, pixels)
    seen = pixels > 0
    rows = np.flatnonzero(seen & (tooth > ROW_BRIGHT))
    dark = np.flatnonzero(seen & (tooth < BETWEEN_DARK))
    low = rows[rows > dark.min(initial=BETWEEN_STEPS)]
    if len(low) < MIN_ROW_STEPS:
        return True, 1.0
    last = int(dark[dark < low[-1]].max())  # below it there are lower teeth only
    first = last
    while first - 1 in dark:
        first -= 1
    return bool(rows[0] < first), (first + last + 1) / 2 / BETWEEN_STEPS
