"""Blinking, squinting, widening and looking aside.

For each eye a handful of lid positions is prepared once per portrait: where every pixel comes from, and
an affine change of its brightness (lid skin, lash line, shade). A frame then costs one small lookup, and
patches that repeat, which is most of them, are kept.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from videos.engines.portrait import landmarks as lm
from videos.engines.portrait.colour import BLACK, Planes
from videos.engines.portrait.geometry import FaceFrame, Rect, smoothstep
from videos.engines.portrait.pixels import F32, F64, U8, blur, halve, remap, to_bytes

LID_STEPS = 8
"""Lid positions from open to closed."""
WIDEN_STEPS = 2
"""Lid positions above the photo's, for surprise."""
WIDEN = 0.16
"""How much of the eye's opening the lid rises at the widest."""
LASH_BAND = 0.022
"""The lash line moves rigidly, this thick (IOD), so that lashes do not stretch into smears."""
LASH = 0.018
LID_FILL = 0.95
"""Share by which a shut lid takes the colour of the skin around the eye; the rest is its own, stretched."""
LID_SKIN_ABOVE, LID_SKIN_BELOW = (0.16, 0.06), (0.035, 0.11)
"""Bands of skin above the lashes and below the lower lid from which the lid's colour is spread."""
LID_SKIN_SPREAD = 0.07
LID_SKIN_LIGHT = (0.45, 0.85)
"""Lashes, creases and rims are darker than this, relative to the skin under the eye, and are left out."""
LID_ROUND = 0.05
"""How much the middle of a shut lid, which bulges, is lighter than its edges."""
GAZE_STEP = 0.25
"""Gaze is rounded to this share of its range."""
GAZE_X, GAZE_Y = 0.055, 0.030
"""Shift of the iris at gaze 1 (IOD)."""
KEPT_PATCHES = 48


@dataclass(frozen=True)
class LidPosition:
    """Where pixels come from (h, w, 2) and (h/2, w/2, 2), and then value * gain + offset per plane."""

    coords: F32
    coords_half: F32
    gain: F32
    offset: F32
    gain_half: F32
    offset_u: F32
    offset_v: F32


@dataclass(frozen=True)
class EyeRig:
    """One eye: the box it changes, the lid's positions, and how far each pixel follows the gaze."""

    rect: Rect
    positions: dict[int, LidPosition]
    gaze_weight: F32
    gaze_axes: F64
    here: F32
    photo: Planes


def build_eyes(points: F64, frame: FaceFrame, planes: Planes) -> list[EyeRig]:
    """Prepare both eyes of a portrait; an eye too small or outside the picture is left out."""
    eyes = (
        (lm.EYE_A_UPPER, lm.EYE_A_LOWER, lm.BROW_A, lm.UNDER_EYE_A),
        (lm.EYE_B_UPPER, lm.EYE_B_LOWER, lm.BROW_B, lm.UNDER_EYE_B),
    )
    rigs = [_build_eye(points, frame, planes, *parts) for parts in eyes]
    return [rig for rig in rigs if rig is not None]


@dataclass(frozen=True)
class _Lids:
    """Curves of one eye sampled at every pixel (h, w), in the face frame."""

    x: F32
    y: F32
    upper: F32
    lower: F32
    brow: F32
    opening: F32
    side: F32
    """1 over the eye, 0 beyond its corners."""


def _build_eye(
    points: F64, frame: FaceFrame, planes: Planes,
    upper: list[int], lower: list[int], brow: list[int], under: list[int],
) -> EyeRig | None:  # fmt: skip
    face = frame.to_face(points[:, :2])
    left, right = sorted((float(face[upper[0], 0]), float(face[upper[-1], 0])))
    top, bottom = float(face[brow, 1].min()) - 0.02, float(face[lower, 1].max()) + 0.18
    whole = Rect(0, 0, planes.width, planes.height)
    rect = frame.box(left - 0.10, top, right + 0.10, bottom).clipped(whole)
    if rect.width < 6 or rect.height < 6:
        return None
    x, y = frame.coordinates(rect)

    def curve(indices: list[int]) -> F32:
        ordered = face[indices][np.argsort(face[indices, 0])]
        return np.interp(x, ordered[:, 0], ordered[:, 1]).astype(np.float32)

    upper_y, lower_y = curve(upper), curve(lower)
    side = smoothstep(0, 0.10, x - np.float32(left - 0.06)) * smoothstep(
        0, 0.10, np.float32(right + 0.06) - x
    )
    below_brow = np.clip(
        curve(brow) + np.float32(0.05), upper_y - np.float32(0.13), upper_y - np.float32(0.05)
    )
    opening = np.maximum(0, lower_y - upper_y)
    lids = _Lids(x, y, upper_y, lower_y, below_brow, opening, side)
    photo = Planes(planes.y[rect.luma].copy(), planes.u[rect.chroma].copy(), planes.v[rect.chroma].copy())
    skin = _lid_skin(lids, photo, frame.iod, _skin_under(points, under, frame, planes))
    here = np.stack(np.meshgrid(np.arange(rect.width), np.arange(rect.height)), axis=-1).astype(np.float32)
    steps = [step for step in range(-WIDEN_STEPS, LID_STEPS + 1) if step]
    positions = {step: _lid_position(step, lids, frame, photo, here, skin) for step in steps}
    centre = (left + right) / 2
    bell = smoothstep(0, 0.035, y - upper_y) * smoothstep(0, 0.03, lower_y - y)
    reach = np.clip(1 - ((x - centre) / (0.52 * (right - left))) ** 2, 0, 1)
    return EyeRig(rect, positions, (bell * reach).astype(np.float32), frame.axes * frame.iod, here, photo)


def _skin_under(
    points: F64, under: list[int], frame: FaceFrame, planes: Planes
) -> tuple[float, float, float]:
    """Y, Cb, Cr of the skin below an eye."""
    radius = max(1, int(0.03 * frame.iod))
    samples = []
    for x, y in np.round(points[under, :2]).astype(int):
        if 2 <= x < planes.width - 2 and 2 <= y < planes.height - 2:
            box = Rect(max(0, x - radius) & ~1, max(0, y - radius) & ~1, x + radius + 1, y + radius + 1)
            half = (slice(y // 2 - 1, y // 2 + 2), slice(x // 2 - 1, x // 2 + 2))
            samples.append((planes.y[box.luma].mean(), planes.u[half].mean(), planes.v[half].mean()))
    if not samples:
        return 120.0, 128.0, 128.0
    luma, cb, cr = np.median(samples, axis=0)
    return float(luma), float(cb), float(cr)


def _lid_skin(
    lids: _Lids, photo: Planes, iod: float, under: tuple[float, float, float]
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

    sigma = max(1.0, LID_SKIN_SPREAD * iod)
    half = halve(weight)
    return (
        spread(photo.y, weight, sigma, under[0]),
        spread(photo.u, half, max(0.7, sigma / 2), under[1]),
        spread(photo.v, half, max(0.7, sigma / 2), under[2]),
    )


def _lid_position(
    step: int, lids: _Lids, frame: FaceFrame, photo: Planes, here: F32, skin: tuple[F32, F32, F32]
) -> LidPosition:
    """Prepare lid position `step`: 1..LID_STEPS closes, negative widens."""
    closed = np.float32(step / LID_STEPS if step > 0 else step / WIDEN_STEPS * WIDEN)
    shut = max(0.0, float(closed))
    y = lids.y
    lid = lids.upper - LASH + (lids.opening * 1.02 + LASH) * closed  # where the lid's edge is now
    source = _lid_source(lids, lid, closed)
    shift = frame.vectors(np.zeros_like(y), ((source - y) * lids.side).astype(np.float32))
    coords = (here + shift).astype(np.float32)
    coords_half = (halve(coords) - np.float32(0.5)) * np.float32(0.5)
    # where the eye and its lashes were there is lid now, in the colour of the skin nearby
    on_lid = smoothstep(-0.13, -0.03, y - lids.upper) * (1 - smoothstep(-0.030, -0.008, y - lid))
    tall = smoothstep(0.0, 0.06, lids.opening)
    down = np.clip((y - lids.upper) / np.maximum(0.01, lid - lids.upper), 0, 1)
    smooth = BLACK + (skin[0] - BLACK) * (1 + LID_ROUND * (4 * down * (1 - down) - 0.5))
    edge = max(0.6, 0.012 * frame.iod)
    fill = blur((on_lid * tall * lids.side).astype(np.float32), edge) * np.float32(
        LID_FILL * min(1.0, 1.4 * shut)
    )
    lash = np.exp(-(((y - lid) / (0.012 + 0.5 / frame.iod)) ** 2)) * (lids.opening > 0.01) * lids.side
    keep = 1 - lash.astype(np.float32) * np.float32(0.35 * shut)
    tint = halve(fill)
    return LidPosition(
        coords=coords,
        coords_half=coords_half,
        gain=((1 - fill) * keep).astype(np.float32),
        offset=((smooth * fill - BLACK) * keep + BLACK).astype(np.float32),
        gain_half=1 - tint,
        offset_u=tint * skin[1],
        offset_v=tint * skin[2],
    )


def _lid_source(lids: _Lids, lid: F32, closed: np.float32) -> F32:
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


class EyeRenderer:
    """Draws one eye into pictures. One per thread."""

    def __init__(self, rig: EyeRig) -> None:
        self._rig = rig
        self._kept: OrderedDict[tuple[int, float, float], Planes] = OrderedDict()
        self._drawn: tuple[int, float, float] | None = None

    def reset(self) -> None:
        self._drawn = None

    def draw(self, lid: float, gaze: tuple[float, float], canvas: Planes) -> bool:
        """Draw lid position `lid` (-1 wide, 0 as in the photo, 1 shut) and gaze (-1..1 each).

        False if that is what `canvas` shows already.
        """
        step = round(lid * (LID_STEPS if lid > 0 else WIDEN_STEPS))
        step = max(-WIDEN_STEPS, min(LID_STEPS, step))
        key = (step, round(gaze[0] / GAZE_STEP) * GAZE_STEP, round(gaze[1] / GAZE_STEP) * GAZE_STEP)
        if key == self._drawn:
            return False
        self._drawn = key
        patch = self._kept.get(key)
        if patch is None:
            patch = self._kept[key] = self._patch(*key)
            if len(self._kept) > KEPT_PATCHES:
                self._kept.popitem(last=False)
        rect = self._rig.rect
        canvas.y[rect.luma], canvas.u[rect.chroma], canvas.v[rect.chroma] = patch.y, patch.u, patch.v
        return True

    def _patch(self, step: int, gaze_x: float, gaze_y: float) -> Planes:
        looking = self._look(gaze_x, gaze_y)
        if step == 0:
            return looking
        lid = self._rig.positions[step]

        def change(plane: U8, gain: F32, offset: F32) -> U8:
            return to_bytes(plane * gain + offset)

        return Planes(
            change(remap(looking.y, lid.coords, cubic=True), lid.gain, lid.offset),
            change(remap(looking.u, lid.coords_half), lid.gain_half, lid.offset_u),
            change(remap(looking.v, lid.coords_half), lid.gain_half, lid.offset_v),
        )

    def _look(self, gaze_x: float, gaze_y: float) -> Planes:
        """The open eye with its iris moved; lids and corners stay."""
        rig = self._rig
        if gaze_x == 0 and gaze_y == 0:
            return rig.photo
        move = (np.array([gaze_x * GAZE_X, gaze_y * GAZE_Y]) @ rig.gaze_axes).astype(np.float32)
        coords = rig.here - rig.gaze_weight[..., None] * move
        half = (halve(coords) - np.float32(0.5)) * np.float32(0.5)
        return Planes(
            remap(rig.photo.y, coords, cubic=True), remap(rig.photo.u, half), remap(rig.photo.v, half)
        )
