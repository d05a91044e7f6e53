"""The inside of the mouth: teeth, tongue, the dark behind them.

A photo with closed lips shows none of it, so it is drawn once per portrait in the light of that portrait:
brightness follows the skin's, so that a dim photo gets dim teeth, and their tint the white of the eyes, so
that a candle-lit one gets candle-lit ones. A photo that shows teeth keeps its own; that is the largest
single gain in likeness.

Textures are kept premultiplied and as luma above black, so that shading is one multiplication a frame.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.portrait.face import landmarks as lm
from engines.portrait.face.geometry import FaceFrame, Rect
from engines.portrait.mouth.own_teeth import ONE_ROW_GAP, own_teeth
from engines.portrait.mouth.shape import MouthShape
from engines.portrait.mouth.teeth import Teeth, painted_row
from engines.portrait.mouth.tongue import TongueTip, lying_tongue, tongue_tip
from engines.portrait.pixels import F32, F64, fill_polygon, halve
from engines.portrait.video.colour import BLACK, LUMA_RANGE, NEUTRAL

HANG = 0.055
"""How far the upper teeth of a closed mouth reach below the line of the lips."""
PARTED_HANG, HIDDEN_HANG = 1.0, 0.3
"""The same between lips that are parted, as a share of the gap, and in an open mouth that shows no teeth."""
LOWER_HANG = -0.004
"""How far the lower teeth stand above the lower lip's edge."""
LOWER_LIGHT = 1.15
"""Light on the lower teeth, relative to the upper ones."""
MIDDLE = 0.08
"""Half the width (IOD) in which the end of the upper teeth is measured."""
TONGUE_REDNESS, TONGUE_TINT = (0.9, 8.0), 0.75
"""The tongue is redder than skin by this share of the skin's redness, and at most by so many code values. Of
all that TONGUE_TINT is left, because it is darker than skin: as strong a tint in less light would glow."""
MAX_TOOTH_LIGHT = 1.25
"""Teeth are at most this much brighter than the skin: they lie in the lips' shade."""
DARKEST_SHARE = 0.7
"""Brightness of the cavity relative to pupils, nostrils and lashes."""
EYE_TINT, SKIN_TINT_CB, SKIN_TINT_CR = 0.70, 0.80, 0.70
"""Shares of the tint of the eyes' white and of the skin from which the teeth's is mixed. In twenty photos
teeth have 0.6 to 0.8 of the skin's: what lights them has been reflected by lips and tongue."""
EYE_MIN_LIGHT = 0.40
"""Eyes darker than this, relative to the skin, are closed or behind dark glasses."""


@dataclass(frozen=True)
class MouthInterior:
    """Textures over `rect`. Upper teeth stay with the skull, the rest moves with the jaw.

    `lower_y` (h, w) luma above black; `upper_y` (h, w) the same times `upper_alpha`'s complement's
    counterpart: composite as `lower_y * upper_clear + upper_y`. `lower_uv`, `upper_uv` (h/2, w/2, 2)
    and `upper_clear_half` (h/2, w/2, 1) likewise for chroma. `falloff` (h, w) darkens the corners.
    `lower_teeth` (h, w) is where the lower teeth cover the `tip` of the tongue, which is not in `lower_y`.
    """

    rect: Rect
    lower_y: F32
    upper_y: F32
    upper_clear: F32
    lower_uv: F32
    upper_uv: F32
    upper_clear_half: F32
    falloff: F32
    lower_teeth: F32
    tip: TongueTip


@dataclass(frozen=True)
class _Colours:
    """Y, Cb, Cr (3,) of the skin, and of what the interior is painted with."""

    skin: F64
    tooth: F64
    dark: F64
    tongue: F64


def build_interior(shape: MouthShape, frame: FaceFrame, points: F64, ycc: F32, bounds: Rect) -> MouthInterior:
    """Paint the interior for a portrait; `ycc` (H, W, 3) is its image, `bounds` where it may lie."""
    left, right = shape.upper[0, 0], shape.upper[-1, 0]
    middle = float(shape.upper[[0, -1], 1].mean())
    rect = frame.box(left - 0.16, middle - 0.35, right + 0.16, middle + 0.75).clipped(bounds)
    x, y = frame.coordinates(rect)
    colours = _measure_colours(frame, points, ycc)
    own_upper, own_lower = None, None
    if shape.open:
        own_upper, own_lower = own_teeth(shape, frame, ycc, rect, colours.skin)
    upper = own_upper or _painted_upper(shape, x, y, frame.iod, colours)
    lower, lower_teeth = _paint_lower(shape, x, y, frame.iod, colours, own_lower)
    luma, colour = float(colours.tongue[0] - BLACK), colours.tongue[1:]
    tip = tongue_tip(shape, x, y, frame.iod, _row_end(shape, upper, x, y), luma, colour)
    clear = (1 - upper.cover).astype(np.float32)
    falloff = 1 - 0.45 * np.clip(shape.across(x), 0, 1.2) ** np.float32(2.2)
    return MouthInterior(
        rect=rect,
        lower_y=lower[..., 0] - BLACK,
        upper_y=upper.cover * (upper.colour[..., 0] - BLACK),
        upper_clear=clear,
        lower_uv=halve(np.ascontiguousarray(lower[..., 1:])),
        upper_uv=halve(np.ascontiguousarray(upper.colour[..., 1:] * upper.cover[..., None])),
        upper_clear_half=halve(clear)[..., None],
        falloff=falloff.astype(np.float32),
        lower_teeth=lower_teeth,
        tip=tip,
    )


def _measure_colours(frame: FaceFrame, points: F64, ycc: F32) -> _Colours:
    skin = _skin_colour(frame, points, ycc)
    light = (skin[0] - BLACK) / LUMA_RANGE
    tint = (skin[1:] - NEUTRAL) * [SKIN_TINT_CB, SKIN_TINT_CR]
    white = _eye_white(points, ycc)
    if white is not None and white[0] - BLACK > EYE_MIN_LIGHT * (skin[0] - BLACK):
        tint = (tint + EYE_TINT * (white[1:] - NEUTRAL)) / 2
    tooth = float(np.clip(0.30 + 0.62 * light, 0.0, min(0.86, MAX_TOOTH_LIGHT * light)))
    # the cavity is hardly darker than the darkest of the face, or a faded photo would get a hole in it
    height, width = ycc.shape[:2]
    column, row = np.clip(np.round(points[:, :2]).astype(int), 0, [width - 1, height - 1]).T
    darkest = (float(np.percentile(ycc[row, column, 0], 1)) - BLACK) / LUMA_RANGE
    dark = max(0.045 + 0.08 * light, DARKEST_SHARE * darkest)

    def colour(share: float, cb: float, cr: float) -> F64:
        return np.array([BLACK + LUMA_RANGE * share, NEUTRAL + cb, NEUTRAL + cr])

    cb, cr = skin[1:] - NEUTRAL
    return _Colours(
        skin=skin,
        tooth=colour(tooth, tint[0] - 1 if abs(cb) > 1 else tint[0], tint[1]),
        dark=colour(dark, 0.35 * cb, 0.70 * cr),
        tongue=colour(
            0.52 * light, 0.55 * cb, TONGUE_TINT * (cr + min(TONGUE_REDNESS[0] * cr, TONGUE_REDNESS[1]))
        ),
    )


def _eye_white(points: F64, ycc: F32) -> F64 | None:
    """Y, Cb, Cr of the brighter part of the eyes, None where they are outside the picture or too small."""
    height, width = ycc.shape[:2]
    whites = []
    for upper, lower in ((lm.EYE_A_UPPER, lm.EYE_A_LOWER), (lm.EYE_B_UPPER, lm.EYE_B_LOWER)):
        outline = np.concatenate([points[upper, :2], points[lower, :2][::-1]])
        box = Rect.around(outline).clipped(Rect(0, 0, width, height))
        if box.empty:
            continue
        pixels = ycc[box.luma][fill_polygon((box.height, box.width), outline - [box.x0, box.y0]) > 0]
        if len(pixels) >= 12:
            low, high = np.percentile(pixels[:, 0], [65, 92])  # above iris and lashes, below glints
            whites.append(np.median(pixels[(pixels[:, 0] >= low) & (pixels[:, 0] <= high)], axis=0))
    return np.mean(whites, axis=0).astype(np.float64) if whites else None


def _skin_colour(frame: FaceFrame, points: F64, ycc: F32) -> F64:
    height, width = ycc.shape[:2]
    radius = max(1, int(0.06 * frame.iod))
    samples = []
    for x, y in np.round(points[lm.CHEEKS, :2]).astype(int):
        if 0 <= x < width and 0 <= y < height:
            patch = ycc[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
            samples.append(patch.reshape(-1, 3).mean(axis=0))
    if not samples:
        return np.array([140.0, 118.0, 142.0])
    skin: F64 = np.median(np.array(samples, np.float64), axis=0)
    return skin


def _painted_upper(shape: MouthShape, x: F32, y: F32, iod: float, colours: _Colours) -> Teeth:
    hang = HANG
    if shape.open:
        hang = min(0.10, 0.02 + HIDDEN_HANG * shape.gap)
        if shape.gap < ONE_ROW_GAP:
            hang = PARTED_HANG * shape.gap
    edge = float(shape.upper_y(np.array([shape.centre_x]))[0]) + hang
    return painted_row(shape, x, y, edge, iod, colours.tooth, upper=True)


def _row_end(shape: MouthShape, upper: Teeth, x: F32, y: F32) -> float:
    """Where the upper teeth end in the middle of the mouth, in the face frame."""
    return float(y[_in_middle(shape, upper, x)].max(initial=shape.upper[5, 1]))


def _in_middle(shape: MouthShape, row: Teeth, x: F32) -> NDArray[np.bool_]:
    """Where a row of teeth is in the middle of the mouth (h, w)."""
    middle: NDArray[np.bool_] = (np.abs(x - np.float32(shape.centre_x)) < MIDDLE) & (row.cover > 0.5)
    return middle


def _paint_lower(
    shape: MouthShape, x: F32, y: F32, iod: float, colours: _Colours, own: Teeth | None
) -> tuple[F32, F32]:
    """What moves with the jaw (h, w, 3): the dark, the tongue, the lower teeth; and their cover (h, w)."""
    edge = float(shape.lower_y(np.array([shape.centre_x]))[0])
    canvas = np.empty((*x.shape, 3), np.float32)
    canvas[:] = colours.dark
    front = edge
    if own is not None:  # a bared lower row stands higher than the lip, and the tongue behind it as well
        front = float(y[_in_middle(shape, own, x)].min(initial=edge))
    cover, light = lying_tongue(shape, x, y, front)
    tongue = np.empty_like(canvas)
    tongue[..., 0] = BLACK + np.float32(colours.tongue[0] - BLACK) * light
    tongue[..., 1:] = colours.dark[1:] + (colours.tongue - colours.dark)[1:] * light[..., None]
    canvas += (tongue - canvas) * cover[..., None]
    teeth = own or painted_row(
        shape, x, y, edge - LOWER_HANG, iod, _dimmed(colours.tooth, LOWER_LIGHT), upper=False
    )
    canvas += (teeth.colour - canvas) * teeth.cover[..., None]
    return canvas, teeth.cover


def _dimmed(colour: F64, light: float) -> F64:
    return np.array([BLACK + (colour[0] - BLACK) * light, *colour[1:]])
