"""The lids of an eye, from wide open to shut: where pixels come from, and how their brightness changes.

A shut lid is skin that the photo does not show. It takes the colour of the skin around the eye, the grain of
the skin below it, and the form of what it covers: it bulges between its crease and its lashes.
"""

from dataclasses import dataclass

import numpy as np

from engines.portrait.face.geometry import FaceFrame, smoothstep
from engines.portrait.pixels import F32, U8, blur, halve, remap_float
from engines.portrait.video.colour import BLACK, Planes

LID_STEPS = 8
"""Lid positions from open to closed."""
WIDEN_STEPS = 2
"""Lid positions above the photo's, for surprise."""
WIDEN = 0.16
"""How much of the eye's opening the lid rises at the widest."""
LASH_BAND = 0.022
"""The lash line moves rigidly, this thick (IOD), so that lashes do not stretch into smears."""
LASH = 0.018
EDGE_SOFT_PX = 1.3
"""The lid's edge is softened this far, or it would be a staircase of pixels."""
OVERSHUT = 0.016
"""How far a shut lid goes past the lower one, which the mesh may draw through the white or the iris."""
LID_FILL = 0.95
"""Share by which a shut lid takes the colour of the skin around the eye; the rest is its own, stretched."""
LID_SKIN_ABOVE, LID_SKIN_BELOW = (0.16, 0.06), (0.035, 0.11)
"""Bands of skin above the lashes and below the lower lid from which the lid's colour is spread."""
LID_SKIN_SPREAD, LID_TINT_SPREAD = 0.07, 0.15
"""How far (IOD) that skin's light is spread, and its colour: brows above the eye are greyer than skin."""
LID_SKIN_LIGHT = (0.55, 0.90)
"""Lashes, creases and rims are darker than this, relative to the skin under the eye, and are left out."""
LID_UNFOLDS = (-0.04, 0.09)
"""Where below the brow's skin (IOD) a shutting lid begins to lose its fold, and where the fold is gone: what
is left of its shade is the crease of the shut lid."""
LID_DEEP, LID_UNDER = 0.10, 0.09
"""How much darker a shut lid, which bulges, is below its crease and above its lashes than in its middle."""
LID_ASIDE = 0.35
"""The same at the corners of the eye."""
LID_GRAIN_FROM, LID_GRAIN_TALL = 0.07, 0.10
"""The band of skin below the eye (IOD) whose pores and grain the lid's skin gets, read to and fro."""
LID_GRAIN_MAX = 6.0
"""What stands out by more code values is a lash or a wrinkle and is cut off."""


@dataclass(frozen=True)
class LidPosition:
    """Where pixels come from (h, w, 2) and (h/2, w/2, 2), and then value * gain + offset per plane.

    `edge` (h, w) 0..1 is where luma from above the lid's edge meets that from below it; it is softened first.
    """

    coords: F32
    coords_half: F32
    edge: F32
    gain: F32
    offset: F32
    gain_half: F32
    offset_u: F32
    offset_v: F32


@dataclass(frozen=True)
class Lids:
    """Curves of one eye sampled at every pixel (h, w), in the face frame."""

    x: F32
    y: F32
    upper: F32
    lower: F32
    brow: F32
    opening: F32
    side: F32
    """1 over the eye, 0 beyond its corners."""


@dataclass(frozen=True)
class LidRig:
    """What the positions of an eye's lids are made of."""

    lids: Lids
    frame: FaceFrame
    here: F32
    """(h, w, 2) the pixels' own places."""
    skin: tuple[F32, F32, F32]
    """Y (h, w), Cb and Cr (h/2, w/2) of the shut lid."""
    grain: F32
    """(h, w) what is added to its Y."""

    @staticmethod
    def build(
        lids: Lids, frame: FaceFrame, photo: Planes, here: F32, under: tuple[float, float, float]
    ) -> "LidRig":
        """`photo` is what the picture shows there, `under` the skin below the eye: Y, Cb, Cr."""
        skin, grain = _lid_skin(lids, photo, frame.iod, under), _skin_grain(lids, frame, photo, here)
        return LidRig(lids, frame, here, skin, grain)

    def position(self, step: int) -> LidPosition:
        """The lids at `step`: 1..LID_STEPS closes, negative down to -WIDEN_STEPS widens."""
        return _lid_position(step, self.lids, self.frame, self.here, self.skin, self.grain)


def _lid_skin(
    lids: Lids, photo: Planes, iod: float, under: tuple[float, float, float]
) -> tuple[F32, F32, F32]:
    """Y (h, w), Cb and Cr (h/2, w/2) of a shut lid: the skin above and below the eye, spread over it."""
    above, below = lids.upper - lids.y, lids.y - lids.lower
    near = ((above < LID_SKIN_ABOVE[0]) & (above > LID_SKIN_ABOVE[1])) | (
        (below > LID_SKIN_BELOW[0]) & (below < LID_SKIN_BELOW[1])
    )
    light = (photo.y.astype(np.float32) - BLACK) / np.float32(max(under[0] - BLACK, 8))
    weight = (near * smoothstep(*LID_SKIN_LIGHT, light) * lids.side).astype(np.float32)

    def spread(plane: U8, weight: F32, sigma: float, otherwise: float) -> F32:
        faint = np.float32(1e-3)
        total = blur(weight, sigma) + faint
        colour: F32 = (blur(plane * weight, sigma) + faint * np.float32(otherwise)) / total
        return colour

    half, wide = halve(weight), max(0.7, LID_TINT_SPREAD * iod / 2)
    return (
        spread(photo.y, weight, max(1.0, LID_SKIN_SPREAD * iod), under[0]),
        spread(photo.u, half, wide, under[1]),
        spread(photo.v, half, wide, under[2]),
    )


def _skin_grain(lids: Lids, frame: FaceFrame, photo: Planes, here: F32) -> F32:
    """What is fine in the luma of the skin below an eye (h, w), so that a lid is no smoother than it."""
    luma = photo.y.astype(np.float32)
    fine = np.clip(luma - blur(luma, max(1.0, 0.03 * frame.iod)), -LID_GRAIN_MAX, LID_GRAIN_MAX)
    along = (lids.y - lids.upper) / np.float32(2 * LID_GRAIN_TALL)
    folded = np.abs(along - np.round(along)) * np.float32(2 * LID_GRAIN_TALL)  # a band is read to and fro
    source = lids.lower + np.float32(LID_GRAIN_FROM) + folded
    away = frame.vectors(np.zeros_like(source), (source - lids.y).astype(np.float32))
    return remap_float(fine, (here + away).astype(np.float32))


def _lid_position(
    step: int, lids: Lids, frame: FaceFrame, here: F32, skin: tuple[F32, F32, F32], grain: F32
) -> LidPosition:
    """Prepare the position `step`; `grain` (h, w) is added to the luma of the `skin`."""
    closed = np.float32(step / LID_STEPS if step > 0 else step / WIDEN_STEPS * WIDEN)
    shut = max(0.0, float(closed))
    y = lids.y
    lid = lids.upper - LASH + (lids.opening + OVERSHUT + LASH) * closed  # where the lid's edge is now
    source = _lid_source(lids, lid, closed)
    shift = frame.vectors(np.zeros_like(y), ((source - y) * lids.side).astype(np.float32))
    coords = (here + shift).astype(np.float32)
    coords_half = (halve(coords) - np.float32(0.5)) * np.float32(0.5)
    # where the eye and its lashes were there is lid now, in the colour of the skin nearby
    on_lid = smoothstep(*LID_UNFOLDS, y - lids.brow) * (1 - smoothstep(-0.030, -0.008, y - lid))
    tall = smoothstep(0.0, 0.06, lids.opening)
    down = np.clip((y - lids.upper) / np.maximum(0.01, lid - lids.upper), 0, 1)
    bulge = 1 - LID_DEEP * (1 - down) ** 2 - LID_UNDER * down**4
    bulge *= 1 - LID_ASIDE * (1 - lids.opening / max(0.01, float(lids.opening.max()))) ** 2
    smooth = BLACK + (skin[0] - BLACK) * bulge + grain
    rim = max(0.6, 0.012 * frame.iod)
    fill = blur((on_lid * tall * lids.side).astype(np.float32), rim) * np.float32(
        LID_FILL * min(1.0, 1.4 * shut)
    )
    edge = (
        np.exp(-(((y - lid) * np.float32(frame.iod / EDGE_SOFT_PX)) ** 2)) * (lids.opening > 0.01) * lids.side
    )
    lash = np.exp(-(((y - lid) / (0.012 + 0.5 / frame.iod)) ** 2)) * (lids.opening > 0.01) * lids.side
    keep = 1 - lash.astype(np.float32) * np.float32(0.35 * shut)
    tint = halve(fill)
    return LidPosition(
        coords=coords,
        coords_half=coords_half,
        edge=edge.astype(np.float32),
        gain=((1 - fill) * keep).astype(np.float32),
        offset=((smooth * fill - BLACK) * keep + BLACK).astype(np.float32),
        gain_half=1 - tint,
        offset_u=tint * skin[1],
        offset_v=tint * skin[2],
    )


def _lid_source(lids: Lids, lid: F32, closed: np.float32) -> F32:
    """The y each pixel is taken from when the upper lid's edge is at `lid`."""
    y = lids.y
    band_photo, band_now = lids.upper - LASH_BAND + LASH, lid - LASH_BAND + LASH
    # the skin under the brow stays, what is above the lashes is drawn down with them
    open_tall, now_tall = np.maximum(0.01, band_photo - lids.brow), np.maximum(0.01, band_now - lids.brow)
    below_brow = np.clip((y - lids.brow) / now_tall, 0, 1)
    drawn = lids.brow + open_tall * (1 - (1 - below_brow) ** (now_tall / open_tall))
    above = np.where(y > band_now, y - (lid - lids.upper), drawn)
    rise = lids.opening * np.float32(0.10) * np.maximum(closed, 0)  # the lower lid comes up a little
    below = y - (lids.lower - rise)
    under = np.where(below > 0, y + rise * np.clip(1 - below / 0.15, 0, 1), y)
    source = np.where(y < lid, above, under)
    return np.where(y < lids.brow, y, source).astype(np.float32)
