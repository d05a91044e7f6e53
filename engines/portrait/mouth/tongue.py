"""The tongue: its back, which lies behind the lower lip, and its tip, which rises for l, t, d, n and th.

What a tip does in a real mouth is seen in the half-open one: it comes up from behind the lower teeth until it
is behind the upper ones, or, for th, lies on the lower ones. Its texture is painted once; a frame moves it.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from engines.portrait.face.geometry import FaceFrame, smoothstep
from engines.portrait.mouth.shape import MouthShape
from engines.portrait.pixels import F32, F64, halve, shift

BACK_WIDE, BACK_TALL = 0.80, 0.25
"""Half the width of the tongue's back as a share of the mouth's, and its height (IOD)."""
BACK_TOP = -0.18
"""Where its back ends above the edge of the lower lip or of bared lower teeth."""
BACK_LIGHT, BACK_GROOVE = 0.25, 0.10
"""Light on its far end, relative to its front, and how much of it the groove along the middle lacks."""
FRONT_LIGHT = 1.30
"""Light on its front: it is wet, and would else be lost in the shade of the lip before it."""
TIP_WIDE, TIP_ROUND = 0.52, 0.085
"""Half the tip's width as a share of the mouth's, and how far its edge has fallen there (IOD)."""
TIP_HIDDEN = 0.02
"""How far below the lower lip's edge the tip lies while it rests."""
TIP_BEHIND = 0.03
"""How far a raised tip reaches up behind the upper teeth's biting edge."""
TIP_REACH = 0.24
"""The furthest a tip rises: a wide open mouth's upper teeth are out of its reach."""
TIP_RIM, TIP_ROOT = 0.62, 0.60
"""Light on the tip's edge, which turns away, and on its underside, relative to what is between them."""
TIP_GROOVE = 0.10
TIP_LIGHT, OUT_LIGHT = 1.45, 1.60
"""Light on a tip behind the teeth and on one between them, relative to the back's, which lies in shade."""
RISE_STEP, OUT_STEP = 0.016, 0.5
"""A tip's rise is rounded to this (IOD), and to half a pixel; how far it is out to this share."""
KEPT_FLOORS = 16


@dataclass(frozen=True)
class TongueTip:
    """The tip at rest, hidden behind the lower lip.

    `light` (h, w) is its luma above black times its `cover` (h, w), `colour` (2,) its Cb and Cr; `travel` how
    far (IOD) it has to rise to the upper teeth while the jaw is shut, negative if they reach down further.
    """

    light: F32
    cover: F32
    colour: F32
    travel: float


def lying_tongue(shape: MouthShape, x: F32, y: F32, edge: float) -> tuple[F32, F32]:
    """Cover and light (h, w) of the tongue behind an `edge`, lip or teeth: its back rises out of the dark."""
    aside = (x - np.float32(shape.centre_x)) / np.float32(BACK_WIDE * sum(shape.half_width) / 2)
    down = (y - np.float32(edge + BACK_TOP)) / np.float32(BACK_TALL)  # 0 at its back, 1 in front
    radius = np.sqrt(aside**2 + np.clip(1 - down, 0, None) ** 2)
    groove = 1 - BACK_GROOVE * np.exp(-((aside / 0.22) ** 2)) * (1 - smoothstep(0.3, 0.9, down))
    light = (
        (BACK_LIGHT + (FRONT_LIGHT - BACK_LIGHT) * smoothstep(0.05, 0.75, down))
        * (1 - 0.35 * aside**2)
        * groove
    )
    return 1 - smoothstep(0.60, 1.20, radius), light


def tongue_tip(
    shape: MouthShape, x: F32, y: F32, iod: float, teeth_edge: float, luma: float, colour: F64
) -> TongueTip:
    """Paint the tip of a tongue of `luma` above black and `colour` (2,) at face positions (h, w).

    `teeth_edge` is where the upper teeth end, in the face frame.
    """
    top = float(shape.lower_y(np.array([shape.centre_x]))[0]) + TIP_HIDDEN
    aside = (x - np.float32(shape.centre_x)) / np.float32(TIP_WIDE * sum(shape.half_width) / 2)
    deep = y - np.float32(top) - np.float32(TIP_ROUND) * np.abs(aside) ** 3
    soft = 0.012 + 0.7 / iod
    cover = smoothstep(-soft, soft, deep) * (1 - smoothstep(0.8, 1.3, np.abs(aside)))
    light = TIP_RIM + (1 - TIP_RIM) * smoothstep(-soft, 0.045, deep)
    light *= 1 - (1 - TIP_ROOT) * smoothstep(0.05, 0.17, deep)
    light *= 1 - TIP_GROOVE * np.exp(-((aside / 0.16) ** 2)) * smoothstep(0.0, 0.06, deep)
    light *= 1 - 0.45 * np.clip(aside, -1, 1) ** 2
    return TongueTip(
        light=(light * cover * np.float32(luma)).astype(np.float32),
        cover=cover.astype(np.float32),
        colour=colour.astype(np.float32),
        travel=top - (teeth_edge - TIP_BEHIND),
    )


class MouthFloor:
    """What moves with the jaw, with the tongue's tip where a frame wants it. One per thread.

    Few heights are told apart, and the last of them are kept, so that a raised tip costs a frame nothing.
    """

    def __init__(self, luma: F32, chroma: F32, teeth: F32, tip: TongueTip, frame: FaceFrame) -> None:
        """`luma` (h, w) above black and `chroma` (h/2, w/2, 2) with the tip at rest, `teeth` (h, w) cover."""
        self._resting = luma, chroma
        self._teeth, self._tip = teeth, tip
        self._step = max(RISE_STEP, 0.5 / frame.iod)
        self._up = -frame.axes[1] * frame.iod
        self._kept: OrderedDict[tuple[int, int], tuple[F32, F32]] = OrderedDict()

    def at(self, drop: float, raised: float, out: float) -> tuple[F32, F32]:
        """Luma and chroma with the tip `raised` and `out`, 0..1, in a jaw that has dropped by `drop` IOD."""
        rise = raised * min(TIP_REACH, self._tip.travel + drop)
        key = max(0, round(rise / self._step)), round(out / OUT_STEP)
        if key[0] == 0:
            return self._resting
        floor = self._kept.get(key)
        if floor is None:
            floor = self._kept[key] = self._raised(key[0] * self._step, key[1] * OUT_STEP)
            if len(self._kept) > KEPT_FLOORS:
                self._kept.popitem(last=False)
        return floor

    def _raised(self, rise: float, out: float) -> tuple[F32, F32]:
        luma, chroma = self._resting
        dx, dy = (self._up * rise).tolist()
        size = luma.shape[1], luma.shape[0]
        shown = 1 - self._teeth * np.float32(1 - out)
        cover = shift(self._tip.cover, dx, dy, size) * shown
        light = shift(self._tip.light, dx, dy, size) * shown
        light *= np.float32(TIP_LIGHT + (OUT_LIGHT - TIP_LIGHT) * out)
        half = halve(cover)[..., None]
        return luma * (1 - cover) + light, chroma + half * (self._tip.colour - chroma)
