"""Where closed lips meet: the line that opens when they part, and whether it can be seen at all."""

import numpy as np

from engines.portrait.face.geometry import FaceFrame
from engines.portrait.mouth.edges import LipLines
from engines.portrait.pixels import F32, F64, blur, remap_float
from engines.portrait.video.colour import BLACK

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

SEEN_COLUMNS, SEEN_ENDS = 33, 0.1
"""Places along the seam where it is looked for, without this share of its length at either end."""
SEEN_BESIDE = (0.02, 0.03, 0.045)
SEEN_DEPTH = 0.03
"""It is seen where the lips are lighter so far above and below it (IOD), by this share of their light."""
COVERED_SEEN, COVERED_STEP = 0.65, 0.30
"""A mouth is covered where less of the seam than the first is seen, and the light along it changes by the
second, as a share of the lips', from one place to the next. In 290 pictures of closed mouths, half of them
dimmed, noisy or shrunk copies of others, no seam seen so badly had a step of more than 0.26; behind fingers
it is 0.34 to 0.8."""


def smoothed(luma: F32, frame: FaceFrame) -> F32:
    """The `luma` (H, W) in which a seam is looked for: without grain."""
    return blur(luma, max(0.6, 0.010 * frame.iod))


def snap_to_seam(lines: LipLines, frame: FaceFrame, smooth: F32) -> F64:
    """The line (11, 2) along which closed lips meet: the mesh's, moved up or down into the valley there in
    the `smoothed` luma.

    The smoothest deep valley is found by dynamic programming; a full upper lip in shade can be darker than
    the seam, but is no valley.
    """
    line = (lines.inner_upper + lines.inner_lower) / 2
    for end, outer_end in ((0, lines.outer_upper[0]), (-1, lines.outer_upper[-1])):
        line[end] += SEAM_OUTWARD * (outer_end - line[end])
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


def is_covered(seam: F64, frame: FaceFrame, smooth: F32) -> bool:
    """Whether a hand, a microphone or the like lies over closed lips that should meet along `seam` (n, 2).

    Both signs have to come together: lips without a dark line between them are blurred or painted, and a step
    in the light along a line that is seen is the shadow of a nose or of a moustache.
    """
    share = np.linspace(SEEN_ENDS, 1 - SEEN_ENDS, SEEN_COLUMNS)
    x = seam[0, 0] + share * (seam[-1, 0] - seam[0, 0])
    y = np.interp(x, *seam.T) + np.array([0.0, *(-away for away in SEEN_BESIDE), *SEEN_BESIDE])[:, None]
    at = frame.to_image(np.stack([np.broadcast_to(x, y.shape), y], axis=-1)).astype(np.float32)
    line, *beside = remap_float(smooth, at) - BLACK
    count = len(SEEN_BESIDE)
    above, below = np.max(beside[:count], axis=0), np.max(beside[count:], axis=0)
    lips = np.minimum(above, below)
    seen = float((lips - line > SEEN_DEPTH * np.maximum(lips, 10)).mean())
    step = float(np.abs(np.diff(line)).max()) / max(float(np.median(above)), 10.0)
    return seen < COVERED_SEEN and step > COVERED_STEP
