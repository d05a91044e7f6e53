"""Painted teeth, for photos that show none."""

from dataclasses import dataclass

import numpy as np

from engines.portrait.face.geometry import smoothstep
from engines.portrait.mouth.shape import MouthShape
from engines.portrait.pixels import F32, F64
from engines.portrait.video.colour import BLACK, NEUTRAL

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
LIP_SHADE, LIP_SHADE_DEEP = 0.25, 0.022
"""How much darker teeth are along the lip that hangs over them, and how far (IOD) its shade falls."""


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
    lip = shape.upper_y(x) if upper else shape.lower_y(x)
    under = LIP_SHADE * np.exp(np.minimum(0, (lip - y) * sign) / LIP_SHADE_DEEP)
    shade = seam * round_off * (1 - 0.55 * reach**1.8) * (1 - under)
    grey = np.array([BLACK, NEUTRAL, NEUTRAL])
    gain = shade[..., None] * np.array([1, 0, 0]) + np.array([0, 1, 1])
    return Teeth((grey + (colour - grey) * gain).astype(np.float32), cover.astype(np.float32))
