"""Where the lips of an open mouth end.

The mesh is good at where a mouth is and poor at how far it is open: it draws grins too wide, takes full
lips for parted ones, and stops short of the shade in the corners. So the picture decides, by two signs of
what is not lip: it is much darker (the cavity), or much less red at about the same brightness (teeth).
"""

from dataclasses import dataclass

import numpy as np

from engines.portrait.face.geometry import FaceFrame, smoothstep
from engines.portrait.pixels import F32, F64, remap_float
from engines.portrait.video.colour import BLACK, NEUTRAL

OPEN_GAP = 0.045
"""Lips closer than this by the mesh are closed unless teeth show: the line between them may be broad."""
SURE_GAP = 0.09
"""Lips further apart than this by the mesh are open, whatever the picture shows between them."""
PARTED_BY_TEETH, PARTED_BY_DARK = 0.03, 0.055
"""In between they are open where this much tooth or darkness shows, across the middle of the mouth."""
BEYOND = 0.05
"""How far outside the mesh's lines signs of an opening are looked for."""
PROFILE_STEPS = 48
PROFILE_REACH = 0.45
"""Share of the half width in which the middle of the mouth is looked at."""
DARK_FROM, DARK_TO = 0.68, 0.50
"""Brightness relative to the lip's at which the cavity begins, and is certain."""
PALE_FROM, PALE_TO = 0.22, 0.45
"""Share of the lip's redness that is missing where teeth begin, and are certain."""
MIN_REDNESS = 6.0
"""Lips less red than this are those of a colourless photo; teeth are then told by brightness."""
BRIGHT_FROM, BRIGHT_TO = 1.12, 1.35
TOOTH_MIN_LIGHT = 0.60
"""Teeth are not much darker than the lips around them."""
EDGE_STEPS = 41
COLUMNS, OUTER_COLUMN = 5, 3
"""Around each point of an edge so many columns are looked at, and the outermost but one is believed: gums, as
red as lips, reach down between teeth, and a tooth may stand over the lower lip."""
EDGE_INSIDE = 0.46
"""How far inside the mesh's opening the lips' edges are looked for, as a share of the gap."""
LIP_SHARE = 0.6
"""How far into the lip, as a share of its thickness; beyond a thin lip comes skin, as pale as teeth."""
LIGHT_WEIGHT = 0.4
"""Weight of luma beside Cr when colours are compared."""
MIN_CONTRAST = 4.0
"""Lips and what is between them must differ by this much to be told apart."""
EDGE_PRIOR = 1.5
"""How many steps of contrary evidence it takes to leave the mesh's edge altogether."""
CORNER_STEPS = 12
CORNER_REACH = 1.25
"""How far a dark corner is followed, as a share of the way from the inner to the outer corner of the mesh."""


@dataclass(frozen=True)
class LipLines:
    """The mesh's four lip curves in the face frame, (11, 2) each, x rising."""

    outer_upper: F64
    inner_upper: F64
    inner_lower: F64
    outer_lower: F64

    @property
    def gap(self) -> float:
        return float(self.inner_lower[5, 1] - self.inner_upper[5, 1])


@dataclass(frozen=True)
class _Probe:
    """Looks up the photo `ycc` (H, W, 3) at face positions."""

    frame: FaceFrame
    ycc: F32

    def at(self, x: F64, y: F64) -> F32:
        points = self.frame.to_image(np.stack([x, y], axis=-1)).astype(np.float32)
        flat = remap_float(self.ycc, points.reshape(1, -1, 2))
        return flat.reshape(*x.shape, 3)


def _middle(lines: LipLines) -> F64:
    """Positions x (9,) across the middle of the mouth."""
    left, right = lines.inner_upper[0, 0], lines.inner_upper[-1, 0]
    middle: F64 = (left + right) / 2 + (right - left) / 2 * np.linspace(-PROFILE_REACH, PROFILE_REACH, 9)
    return middle


def _lip_colour(probe: _Probe, x: F64, inner: F64, outer: F64) -> F64:
    """Y, Cb, Cr of a lip, halfway between its edges."""
    halfway = (np.interp(x, *inner.T) + np.interp(x, *outer.T)) / 2
    colour: F64 = np.median(probe.at(x, halfway), axis=0).astype(np.float64)
    return colour


def _signs(values: F32, lip: F64) -> tuple[F32, F32]:
    """How surely `values` (..., 3) are tooth, and cavity, 0..1, given the colour of a lip."""
    light = (values[..., 0] - BLACK) / np.float32(max(lip[0] - BLACK, 8))
    redness = lip[2] - NEUTRAL
    if redness > MIN_REDNESS:
        tooth = smoothstep(PALE_FROM, PALE_TO, (lip[2] - values[..., 2]) / np.float32(redness))
    else:
        tooth = smoothstep(BRIGHT_FROM, BRIGHT_TO, light)
    return tooth * (light > TOOTH_MIN_LIGHT), 1 - smoothstep(DARK_TO, DARK_FROM, light)


def shows_inside(lines: LipLines, frame: FaceFrame, ycc: F32) -> bool:
    """Whether the photo shows teeth or the mouth's cavity between the lips."""
    if lines.gap >= SURE_GAP:
        return True
    probe, x = _Probe(frame, ycc), _middle(lines)
    start = np.interp(x, *lines.inner_upper.T) - BEYOND
    tall = np.interp(x, *lines.inner_lower.T) + BEYOND - start
    y = start[:, None] + tall[:, None] * np.linspace(0, 1, PROFILE_STEPS)
    values = probe.at(np.repeat(x[:, None], PROFILE_STEPS, axis=1), y)
    lips = [
        _lip_colour(probe, x, lines.inner_upper, lines.outer_upper),
        _lip_colour(probe, x, lines.inner_lower, lines.outer_lower),
    ]
    tooth, dark = _signs(values, np.mean(lips, axis=0))
    step = tall / PROFILE_STEPS
    shown = [float(np.median((sign > 0.5).sum(axis=1) * step)) for sign in (tooth, dark)]
    return shown[0] > PARTED_BY_TEETH or (shown[1] > PARTED_BY_DARK and lines.gap > OPEN_GAP)


def snap_to_lips(lines: LipLines, frame: FaceFrame, ycc: F32) -> tuple[F64, F64]:
    """The inner edges (11, 2) of the lips of an open mouth, upper and lower.

    Each edge is the point on a line from the middle of the opening outward that best parts what looks
    like tooth or cavity from what looks like lip. Corners are followed outward as far as they are dark.
    """
    probe, x = _Probe(frame, ycc), _middle(lines)
    upper, lower = lines.inner_upper.copy(), lines.inner_lower.copy()
    gap = lower[1:-1, 1] - upper[1:-1, 1]
    halfway = (np.interp(x, *upper.T) + np.interp(x, *lower.T)) / 2
    inside = np.median(probe.at(x, halfway), axis=0).astype(np.float64)
    for edge, outer, outward in ((upper, lines.outer_upper, -1.0), (lower, lines.outer_lower, 1.0)):
        lip = _lip_colour(probe, x, edge, outer)
        at, line = _beside(edge[:, 0]), _beside(edge[:, 1])
        thick = np.abs(np.interp(at, *outer.T) - line)
        deep = np.repeat(gap, COLUMNS) * EDGE_INSIDE
        away = -deep[:, None] + (deep + np.minimum(BEYOND, LIP_SHARE * thick))[:, None] * np.linspace(
            0, 1, EDGE_STEPS
        )
        values = probe.at(np.repeat(at[:, None], EDGE_STEPS, axis=1), line[:, None] + outward * away)
        lipness = 1 - 2 * np.maximum(np.maximum(*_signs(values, lip)), _likeness(values, lip, inside))
        # with the edge at step k all before it should be inside (-1) and all from it on lip (+1)
        score = lipness[:, ::-1].cumsum(axis=1)[:, ::-1] - (lipness.cumsum(axis=1) - lipness)
        score -= EDGE_PRIOR * np.abs(away) / BEYOND
        found = away[np.arange(len(away)), score.argmax(axis=1)].reshape(-1, COLUMNS)
        moved = np.sort(found, axis=1)[:, OUTER_COLUMN]
        smooth = np.convolve(np.pad(moved, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
        edge[1:-1, 1] += outward * smooth
        for end, beside, then in ((0, 1, 2), (-1, -2, -3)):  # what sticks out beside a corner is skin
            limit = max(outward * edge[end, 1], outward * edge[then, 1])
            edge[beside, 1] = outward * min(outward * edge[beside, 1], limit)
    for end, outer_end in ((0, lines.outer_upper[0]), (-1, lines.outer_upper[-1])):
        corner = _dark_corner(probe, upper[end], outer_end, _lip_colour(probe, x, lower, lines.outer_lower))
        upper[end] = lower[end] = corner
    return upper, lower


def _beside(values: F64) -> F64:
    """`values` (n,) of an edge's points at COLUMNS places around each but the first and last, in order."""
    places = np.arange(1, len(values) - 1)[:, None] + (np.arange(COLUMNS) - COLUMNS // 2) / COLUMNS
    between: F64 = np.interp(places.ravel(), np.arange(len(values)), values)
    return between


def _likeness(values: F32, lip: F64, inside: F64) -> F32:
    """How much `values` (..., 3) look like `inside` rather than like `lip`, 0..1; 0 where these are alike."""
    weights = np.array([LIGHT_WEIGHT, 0.0, 1.0])
    axis = (inside - lip) * weights
    length = float(np.linalg.norm(axis))
    if length < MIN_CONTRAST:
        return np.zeros(values.shape[:-1], np.float32)
    along = ((values - lip) * weights) @ axis / length**2
    return smoothstep(0.3, 0.7, along.astype(np.float32))


def _dark_corner(probe: _Probe, inner: F64, outer: F64, lip: F64) -> F64:
    """Where the cavity ends on the way from the mesh's `inner` corner of the mouth past its `outer` one."""
    way = inner + np.linspace(0, CORNER_REACH, CORNER_STEPS)[:, None] * (outer - inner)
    _, dark = _signs(probe.at(way[:, 0], way[:, 1]), lip)
    ends = np.flatnonzero(dark < 0.5)
    last = int(ends[0]) if len(ends) else CORNER_STEPS - 1
    corner: F64 = way[last]
    return corner
