"""Where closed lips meet: the line that opens when they part."""

import numpy as np

from videos.engines.portrait.geometry import FaceFrame
from videos.engines.portrait.mouth.edges import LipLines
from videos.engines.portrait.pixels import F32, F64, blur, remap_float

SEAM_SEARCH = 0.07
"""How far from the mesh's lip line the dark seam is looked for."""
SEAM_STEPS = 43
SEAM_HALF = 0.03
"""A seam is a valley of brightness about this wide to either side."""
SEAM_OUTWARD = 0.35
"""The mesh's inner corners of the mouth are this far short of where the seam ends, towards its outer ones."""
SEAM_PRIOR = 8.0
"""Code values of depth that outweigh a seam at the end of the search range: the mesh wins when in doubt."""
SEAM_BEND = 900.0
"""Code values of depth that outweigh neighbouring points one search range apart."""


def snap_to_seam(lines: LipLines, frame: FaceFrame, luma: F32) -> F64:
    """The line (11, 2) along which closed lips meet: the mesh's, moved up or down into the valley there.

    The smoothest deep valley is found by dynamic programming; a full upper lip in shade can be darker than
    the seam, but is no valley.
    """
    line = (lines.inner_upper + lines.inner_lower) / 2
    for end, outer_end in ((0, lines.outer_upper[0]), (-1, lines.outer_upper[-1])):
        line[end] += SEAM_OUTWARD * (outer_end - line[end])
    smooth = blur(luma, max(0.6, 0.010 * frame.iod))
    beyond = round(SEAM_HALF / SEAM_SEARCH * (SEAM_STEPS // 2))
    share = np.linspace(-1, 1, SEAM_STEPS)
    reach = SEAM_SEARCH * (1 + 2 * beyond / (SEAM_STEPS - 1))
    probes = np.repeat(line[:, None], SEAM_STEPS + 2 * beyond, axis=1)
    probes[..., 1] += np.linspace(-reach, reach, SEAM_STEPS + 2 * beyond)
    values = remap_float(smooth, frame.to_image(probes).astype(np.float32))
    depth = np.minimum(values[:, : -2 * beyond], values[:, 2 * beyond :]) - values[:, beyond:-beyond]
    cost = SEAM_PRIOR * share**2 - depth
    bend = SEAM_BEND * (share[:, None] - share) ** 2
    total, origin = cost[0], []
    for here in cost[1:]:
        ways = total + bend  # (to, from)
        origin.append(ways.argmin(axis=1))
        total = here + ways.min(axis=1)
    path = [int(total.argmin())]
    for best in reversed(origin):
        path.append(int(best[path[-1]]))
    snapped = line.copy()
    snapped[:, 1] += SEAM_SEARCH * share[path[::-1]]
    snapped[1:-1, 1] = np.convolve(snapped[:, 1], [0.2, 0.6, 0.2], "valid")
    return snapped
