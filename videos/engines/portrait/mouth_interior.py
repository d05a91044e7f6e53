"""The inside of the mouth: teeth, tongue, the dark behind them.

A photo with closed lips shows none of it, so it is drawn once per portrait in the colours of that
portrait: tooth brightness follows the skin's, so that a dim photo gets dim teeth. A photo that smiles
openly shows its own teeth; they are used instead, continued upward under the lip. That is the largest
single gain in likeness.

Textures are kept premultiplied and as luma above black, so that shading is one multiplication a frame.
"""

from dataclasses import dataclass

import numpy as np

from videos.engines.portrait import landmarks as lm
from videos.engines.portrait.colour import BLACK, LUMA_RANGE, NEUTRAL
from videos.engines.portrait.geometry import FaceFrame, Rect, smoothstep
from videos.engines.portrait.mouth_shape import MouthShape
from videos.engines.portrait.pixels import F32, F64, blur, fill_polygon, halve, remap_float

UPPER_TEETH = (0.125, 0.10, 0.095, 0.07, 0.05, 0.04)
"""Widths in IOD of one side's upper teeth from the middle out, foreshortened towards the cheek."""
LOWER_TEETH = (0.075, 0.08, 0.085, 0.08, 0.06)
ARCH = 0.035
"""How much the row of teeth curves, IOD at its end."""
REAL_TEETH_MIN_LUMA = 70
"""An open mouth darker than this shows no teeth to reuse."""


@dataclass(frozen=True)
class MouthInterior:
    """Textures over `rect`. Upper teeth stay with the skull, the rest moves with the jaw.

    `lower_y` (h, w) luma above black; `upper_y` (h, w) the same times `upper_alpha`'s complement's
    counterpart: composite as `lower_y * upper_clear + upper_y`. `lower_uv`, `upper_uv` (h/2, w/2, 2)
    and `upper_clear_half` (h/2, w/2, 1) likewise for chroma. `falloff` (h, w) darkens the corners.
    """

    rect: Rect
    lower_y: F32
    upper_y: F32
    upper_clear: F32
    lower_uv: F32
    upper_uv: F32
    upper_clear_half: F32
    falloff: F32


@dataclass(frozen=True)
class _Colours:
    """Y, Cb, Cr (3,) of what the interior is painted with."""

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
    lower = _paint_lower(shape, x, y, frame.iod, colours)
    upper, alpha = _paint_upper(shape, x, y, frame.iod, colours)
    if shape.open:
        own = _own_teeth(shape, frame, points, ycc, rect, x, y)
        if own is not None:
            upper, alpha = own
    clear = (1 - alpha).astype(np.float32)
    falloff = 1 - 0.6 * np.clip(shape.across(x), 0, 1.2) ** np.float32(2.2)
    return MouthInterior(
        rect=rect,
        lower_y=lower[..., 0] - BLACK,
        upper_y=alpha * (upper[..., 0] - BLACK),
        upper_clear=clear,
        lower_uv=halve(np.ascontiguousarray(lower[..., 1:])),
        upper_uv=halve(np.ascontiguousarray(upper[..., 1:] * alpha[..., None])),
        upper_clear_half=halve(clear)[..., None],
        falloff=falloff.astype(np.float32),
    )


def _measure_colours(frame: FaceFrame, points: F64, ycc: F32) -> _Colours:
    height, width = ycc.shape[:2]
    lips = np.concatenate([points[lm.OUTER_LOWER_LIP, :2], points[lm.INNER_LOWER_LIP, :2][::-1]])
    box = Rect.around(lips).clipped(Rect(0, 0, width, height))
    lip = np.array([100.0, 120.0, 150.0])
    if not box.empty:
        inside = fill_polygon((box.height, box.width), lips - [box.x0, box.y0]) > 0
        if inside.sum() > 8:
            lip = np.median(ycc[box.luma][inside], axis=0).astype(np.float64)
    skin = _skin_colour(frame, points, ycc)
    brightness = (skin[0] - BLACK) / LUMA_RANGE
    # a black and white photo must get a black and white mouth
    saturation = np.clip((np.abs(ycc[::4, ::4, 1:] - NEUTRAL).mean() - 0.6) / 2, 0, 1)

    def colour(luma: float, cb: float, cr: float) -> F64:
        return np.array([luma, NEUTRAL + (cb - NEUTRAL) * saturation, NEUTRAL + (cr - NEUTRAL) * saturation])

    def blend(source: F64, cb: float, cr: float) -> tuple[float, float]:
        return NEUTRAL + (source[1] - NEUTRAL) * cb, NEUTRAL + (source[2] - NEUTRAL) * cr

    tooth_luma = BLACK + LUMA_RANGE * float(np.clip(0.30 + 0.62 * brightness, 0.42, 0.86))
    tooth_cb, tooth_cr = blend(skin, 0.35, 0.25)
    dark_cb, dark_cr = blend(lip, 0.4, 0.75)
    return _Colours(
        tooth=colour(tooth_luma, tooth_cb - 1, tooth_cr),
        dark=colour(BLACK + LUMA_RANGE * (0.055 + 0.075 * brightness), dark_cb, max(dark_cr, NEUTRAL + 8)),
        tongue=colour(BLACK + (lip[0] - BLACK) * 0.62, *blend(lip, 0.9, 1.1)),
    )


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


def _row_of_teeth(
    x: F32, y: F32, widths: tuple[float, ...], centre: float, edge_y: float, iod: float, *, up: bool
) -> tuple[F32, F32]:
    """Coverage and shade (h, w) of a row whose biting edge lies at `edge_y`; `up` teeth lie above it."""
    sign = 1.0 if up else -1.0
    soft = 0.012 + 0.7 / iod
    borders = np.concatenate([[0], np.cumsum(widths)])
    away = np.abs(x - np.float32(centre))
    tooth = np.clip(np.searchsorted(borders, away) - 1, 0, len(widths) - 1)
    width = np.array(widths, np.float32)[tooth]
    within = (away - borders[tooth].astype(np.float32)) / width - 0.5  # -.5 .. .5 across one tooth
    reach = away / np.float32(borders[-1])
    edge = edge_y - sign * (ARCH * reach**2 + 0.022 * np.abs(within * 2) ** 3 + 0.012 * (tooth == 1))
    inside = (edge - y) * sign
    cover = smoothstep(-soft, soft, inside) * smoothstep(-soft, soft, borders[-1] - away)
    seam = 1 - 0.20 * np.exp(-(((np.abs(within) - 0.5) * width / (0.010 + 0.4 / iod)) ** 2))
    round_off = 0.94 + 0.06 * np.cos(within * np.pi)
    shade = seam * round_off * (1 - 0.55 * reach**1.8) * (1 - 0.25 * smoothstep(0.05, 0.20, inside))
    return cover.astype(np.float32), shade.astype(np.float32)


def _tooth_texture(colour: F64, shade: F32, brightness: float) -> F32:
    grey = np.array([BLACK, NEUTRAL, NEUTRAL])
    gain = shade[..., None] * np.array([brightness, 1, 1])
    texture: F32 = (grey + (colour - grey) * gain).astype(np.float32)
    return texture


def _paint_upper(shape: MouthShape, x: F32, y: F32, iod: float, colours: _Colours) -> tuple[F32, F32]:
    hang = min(0.16, shape.gap * 0.75) if shape.open else 0.045
    edge = float(shape.upper_y(np.array([shape.centre_x]))[0]) + hang
    cover, shade = _row_of_teeth(x, y, UPPER_TEETH, shape.centre_x, edge, iod, up=True)
    return _tooth_texture(colours.tooth, shade, 0.92), cover


def _paint_lower(shape: MouthShape, x: F32, y: F32, iod: float, colours: _Colours) -> F32:
    edge = float(shape.lower_y(np.array([shape.centre_x]))[0]) - 0.012
    canvas = np.empty((*x.shape, 3), np.float32)
    canvas[:] = colours.dark
    radius = np.sqrt(((x - shape.centre_x) / 0.30) ** 2 + ((y - (edge + 0.10)) / 0.20) ** 2)
    tongue = (0.8 * (1 - smoothstep(0.45, 1.15, radius.astype(np.float32))))[..., None]
    canvas += (colours.tongue.astype(np.float32) - canvas) * tongue
    cover, shade = _row_of_teeth(x, y, LOWER_TEETH, shape.centre_x, edge, iod, up=False)
    canvas += (_tooth_texture(colours.tooth, shade, 0.55) - canvas) * (0.85 * cover)[..., None]
    return canvas


def _own_teeth(
    shape: MouthShape, frame: FaceFrame, points: F64, ycc: F32, rect: Rect, x: F32, y: F32
) -> tuple[F32, F32] | None:
    """The portrait's own teeth (h, w, 3) and their coverage, or None when it shows none."""
    iod = frame.iod
    patch = np.ascontiguousarray(ycc[rect.luma])
    outline = np.concatenate([points[lm.INNER_UPPER_LIP, :2], points[lm.INNER_LOWER_LIP, :2][::-1]])
    inside = fill_polygon((rect.height, rect.width), outline - [rect.x0, rect.y0]) > 0
    top, bottom = shape.upper_y(x) + OPEN_EDGE, shape.lower_y(x) - OPEN_EDGE
    skip = 0.028 + 0.6 / iod
    core = inside & (y > top + skip) & (y < bottom - skip)
    values = patch[..., 0][core] if core.sum() > 10 else patch[..., 0][inside]
    bright = float(np.percentile(values, 85)) if len(values) else 0.0
    if bright < REAL_TEETH_MIN_LUMA:
        return None
    # continue upward: each pixel under the lip takes the row just inside the lip
    lift = frame.vectors(np.zeros_like(x), np.maximum(y, top + skip) - y)
    here = np.stack(np.meshgrid(np.arange(rect.width), np.arange(rect.height)), axis=-1)
    extended = remap_float(patch, (here + lift).astype(np.float32))
    threshold = BLACK + 0.50 * (bright - BLACK)
    cover = smoothstep(threshold - 14, threshold + 14, extended[..., 0])
    cover = cover * ((inside | (y < top + skip)) & (y < bottom - 0.5 * skip))
    cover = cover * smoothstep(0, 0.05, x - shape.upper[0, 0]) * smoothstep(0, 0.05, shape.upper[-1, 0] - x)
    return extended, np.clip(blur(cover.astype(np.float32), max(0.5, 0.006 * iod)), 0, 1)


OPEN_EDGE = 0.011
"""The lips' own inner edge, left out of what counts as inside."""
