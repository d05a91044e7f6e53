"""Blinking, squinting, widening and looking aside.

The lids have a handful of positions, see `lids`, of which a process prepares those it needs. A frame then
costs one small lookup, and patches that repeat, which is most of them, are kept.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from engines.portrait.eyes.lids import LID_STEPS, WIDEN_STEPS, LidPosition, LidRig, Lids
from engines.portrait.face import landmarks as lm
from engines.portrait.face.geometry import FaceFrame, Rect, smoothstep
from engines.portrait.pixels import F32, F64, U8, blur, halve, remap, to_bytes
from engines.portrait.video.colour import Planes

GAZE_STEP = 0.25
"""Gaze is rounded to this share of its range."""
GAZE_X, GAZE_Y = 0.055, 0.030
"""Shift of the iris at gaze 1 (IOD)."""
GAZE_RAMP, GAZE_DENSER = 0.45, 0.5
"""Up and down the eye's content follows less and less within this share of its opening from either lid, and
is squeezed and stretched there by GAZE_DENSER at the most: at 1 it would fold, and show its lights twice. So
narrow eyes look up and down less."""
EDGE_BLUR_PX = 0.8
"""How much the edge of a lid is blurred."""
KEPT_PATCHES = 48


@dataclass(frozen=True)
class EyeRig:
    """One eye: the box it changes, its lids, and how far each pixel follows the gaze.

    `gaze_weight` (h, w) is the share of its way aside, `gaze_drop` (h, w) that of its way down.
    """

    rect: Rect
    lids: LidRig
    gaze_weight: F32
    gaze_drop: F32
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
    lids = Lids(x, y, upper_y, lower_y, below_brow, opening, side)
    photo = Planes(planes.y[rect.luma].copy(), planes.u[rect.chroma].copy(), planes.v[rect.chroma].copy())
    here = np.stack(np.meshgrid(np.arange(rect.width), np.arange(rect.height)), axis=-1).astype(np.float32)
    lid_rig = LidRig.build(lids, frame, photo, here, _skin_under(points, under, frame, planes))
    centre = (left + right) / 2
    bell = smoothstep(0, 0.035, y - upper_y) * smoothstep(0, 0.03, lower_y - y)
    reach = np.clip(1 - ((x - centre) / (0.52 * (right - left))) ** 2, 0, 1)
    ramp = max(0.035, GAZE_RAMP * float((opening * (reach > 0)).max()))
    drop = smoothstep(0, ramp, y - upper_y) * smoothstep(0, ramp, lower_y - y)
    drop *= min(1.0, GAZE_DENSER * ramp / (1.5 * GAZE_Y))  # 1.5 is the ramp's steepest
    weights = (bell * reach).astype(np.float32), (drop * reach).astype(np.float32)
    return EyeRig(rect, lid_rig, *weights, frame.axes * frame.iod, here, photo)


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


def gaze_source(rig: EyeRig, gaze_x: float, gaze_y: float) -> F32:
    """Where each pixel (h, w, 2) of an open eye comes from when it looks aside."""
    across, down = (rig.gaze_axes * [[gaze_x * GAZE_X], [gaze_y * GAZE_Y]]).astype(np.float32)
    source: F32 = rig.here - rig.gaze_weight[..., None] * across - rig.gaze_drop[..., None] * down
    return source


class EyeRenderer:
    """Draws one eye into pictures. One per thread."""

    def __init__(self, rig: EyeRig) -> None:
        self._rig = rig
        self._positions: dict[int, LidPosition] = {}
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
        lid = self._positions.get(step)
        if lid is None:
            lid = self._positions[step] = self._rig.lids.position(step)
        luma = remap(looking.y, lid.coords, cubic=True).astype(np.float32)
        luma += lid.edge * (blur(luma, EDGE_BLUR_PX) - luma)

        def change(plane: U8 | F32, gain: F32, offset: F32) -> U8:
            return to_bytes(plane * gain + offset)

        return Planes(
            change(luma, lid.gain, lid.offset),
            change(remap(looking.u, lid.coords_half), lid.gain_half, lid.offset_u),
            change(remap(looking.v, lid.coords_half), lid.gain_half, lid.offset_v),
        )

    def _look(self, gaze_x: float, gaze_y: float) -> Planes:
        """The open eye with its iris moved; lids and corners stay."""
        rig = self._rig
        if gaze_x == 0 and gaze_y == 0:
            return rig.photo
        coords = gaze_source(rig, gaze_x, gaze_y)
        half = (halve(coords) - np.float32(0.5)) * np.float32(0.5)
        return Planes(
            remap(rig.photo.y, coords, cubic=True), remap(rig.photo.u, half), remap(rig.photo.v, half)
        )
