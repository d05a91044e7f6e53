"""What the mouth's displacement fields are made of: one movement of the skin per facial action.

All of it in the face frame, sampled at the cells of the fields' grid.
"""

from dataclasses import dataclass

import numpy as np

from engines.portrait.face.geometry import smoothstep
from engines.portrait.mouth.shape import MouthShape
from engines.portrait.pixels import F32

JAW_SKIN = 0.72
"""Share of the jaw's drop that the chin's skin follows at the lip line's side."""
CORNER_DROP = 0.34
"""Share of the jaw's drop that the corners of the mouth follow: an opened mouth is an oval, not a V that
hangs from a straight upper lip. In 600 frames of a man talking they follow 0.39 of the lips' distance."""
CORNER_WIDE, CORNER_ABOVE, CORNER_BELOW = 0.24, 0.24, 0.40
"""How far from the corners (IOD) their drop reaches: to the side, up into the cheek and down the jaw."""
OVAL = 0.60
"""Exponent of the opening's height from corner to corner: in the same frames it has 0.85 of its full height
halfway and 0.63 at three quarters."""
LIPS_MEET_HALFWAY = 0.14
"""A gap up to this is closed by both lips; of what is more the upper lip takes UPPER_SHARE, the chin rises by
CHIN_RISES of it, and the lower lip does the rest."""
UPPER_SHARE, CHIN_RISES = 0.15, 0.6
WIDTH_NARROWING = 0.10
"""Vertical thinning of stretched lips, per unit of width."""

Field = tuple[F32, F32]
"""Face-frame displacement: x part and y part, (rows, columns) each, in IOD."""


@dataclass(frozen=True)
class Parts:
    """What the fields are made of, all (rows, columns)."""

    shape: MouthShape
    x: F32
    y: F32
    gap: F32
    """How far the photo's lips are apart at this x."""
    lens: F32
    """1 at the mouth's centre, 0 at its corners and beyond."""
    above: F32
    """1 at the upper lip, falling to 0 at the nose."""
    below: F32
    """1 at the lower lip, falling to 0 on the chin."""
    across: F32

    @staticmethod
    def sample(shape: MouthShape, x: F32, y: F32) -> "Parts":
        upper, lower = shape.upper_y(x), shape.lower_y(x)
        across = shape.across(x)
        nose = float(shape.nose[1]) + 0.01
        rise = np.clip((y - nose) / np.maximum(0.05, upper - nose), 0, 1)
        return Parts(
            shape=shape,
            x=x,
            y=y,
            gap=np.maximum(0, lower - upper),
            lens=(1 - np.clip(across, 0, 1) ** 2) ** np.float32(0.85),
            above=0.5 * rise + 0.5 * rise * rise * (3 - 2 * rise),
            below=1 - smoothstep(0, 0.45, y - lower),
            across=across,
        )

    def both(self, dx: F32, dy: F32) -> tuple[Field, Field]:
        return (dx, dy), (dx, dy)

    def jaw(self) -> tuple[Field, Field]:
        """A drop of the jaw: the chin goes down in both layers, the lower lip goes all the way."""
        lower, chin = self.shape.lower_y(self.x), float(self.shape.chin[1])
        height = max(0.35, chin - float(self.shape.lower[5, 1]))
        v = (self.y - lower) / np.float32(height)  # 0 at the lip line, 1 at the chin
        ramp = smoothstep(-0.30, 0.80, v)
        half = half_face(self.shape)
        middle = np.float32((self.shape.centre_x + _oval_centre(self.shape)) / 2)
        lateral = 1 - smoothstep(0.35 * half, 1.12 * half, np.abs(self.x - middle))
        fade = 1 - smoothstep(chin - 0.02, chin + 0.62, self.y)
        skin = ramp * lateral * fade * np.float32(JAW_SKIN)
        skin = np.maximum(skin, self._corner_drop() * fade)
        oval = (1 - np.clip(self.across, 0, 1) ** 2) ** np.float32(OVAL)
        lip = (1 - ramp) * oval * (1 - 0.28 * smoothstep(0, 0.8, v)) * fade
        chin_pad = ramp * self.lens * lateral * fade * (1 - JAW_SKIN) * (1 - smoothstep(0.15, 0.9, v))
        zero = np.zeros_like(skin)
        return (zero, skin), (zero, np.maximum(skin, skin + lip + chin_pad))

    def _corner_drop(self) -> F32:
        """How much of the jaw's drop the corners of the mouth and the skin around them follow."""
        ends = self.shape.upper[[0, -1]].astype(np.float32)
        drops = []
        for corner_x, corner_y in ends:
            down = self.y - corner_y
            tall = np.where(down < 0, np.float32(CORNER_ABOVE), np.float32(CORNER_BELOW))
            aside = (self.x - corner_x) / np.float32(CORNER_WIDE)
            drops.append(np.exp(-(aside**2) - (down / tall) ** 2))
        drop: F32 = np.maximum(*drops) * np.float32(CORNER_DROP)
        return drop

    def shut(self) -> tuple[Field, Field]:
        """An open mouth's lips brought together: halfway each, what is more by chin and lower lip."""
        wide, raised = np.float32(too_wide(self.shape)), np.float32(chin_rise(self.shape))
        down = np.minimum(0.5 * self.gap, 0.5 * np.minimum(self.gap, LIPS_MEET_HALFWAY) + UPPER_SHARE * wide)
        chin, jaw = self.jaw()
        at_lip = Parts.sample(self.shape, self.x, self.shape.lower_y(self.x)).jaw()[1][1]
        rest = np.maximum(0, self.gap - down - raised * at_lip)
        zero = np.zeros_like(down)
        upper: F32 = (down * self.above - raised * chin[1]).astype(np.float32)
        return (zero, upper), (zero, (-raised * jaw[1] - rest * self.below).astype(np.float32))

    def lip_reach(self) -> F32:
        """How much of a raised upper lip each x takes part in: most at the centre, none past the corners."""
        centre = np.clip(1.1 - 0.6 * self.across, 0, 1).astype(np.float32)
        fade: F32 = (centre * (1 - smoothstep(0.9, 1.8, self.across))).astype(np.float32)
        return fade

    def _from_lips(self) -> F32:
        middle = (self.shape.upper_y(self.x) + self.shape.lower_y(self.x)) * np.float32(0.5)
        away: F32 = self.y - middle
        return away

    def _window(self, half_x: float, half_y: float, flat: float) -> F32:
        """A bell around the mouth, `flat` tall before it falls off."""
        beyond = np.clip(np.abs(self._from_lips()) - flat, 0, None)
        away = (self.x - self.shape.centre_x) / half_x
        return np.exp(-(away**2) - (beyond / half_y) ** 2).astype(np.float32)

    def widen(self) -> Field:
        away, window = self.x - np.float32(self.shape.centre_x), self._window(0.62, 0.30, 0.08)
        return away * window, -np.float32(WIDTH_NARROWING) * np.abs(away) * window

    def purse(self) -> Field:
        away, window = self.x - np.float32(self.shape.centre_x), self._window(0.55, 0.24, 0.10)
        thick = self._window(0.30, 0.22, 0.0)
        return -away * window, np.float32(0.55) * self._from_lips() * thick

    def corner_pull(self, inward: float, down: float) -> Field:
        """Both corners of the mouth moved by (`inward`, `down`)."""

        def bell(corner: F32) -> F32:
            distance: F32 = ((self.x - corner[0]) / 0.26) ** 2 + ((self.y - corner[1]) / 0.24) ** 2
            return np.exp(-distance)

        left, right = (bell(corner.astype(np.float32)) for corner in self.shape.corners)
        return (left - right) * np.float32(inward), (left + right) * np.float32(down)


def too_wide(shape: MouthShape) -> float:
    """How much further open the photo's mouth is than lips alone can close (IOD)."""
    return max(0.0, shape.gap - LIPS_MEET_HALFWAY)


def chin_rise(shape: MouthShape) -> float:
    """How far the jaw rises to shut the photo's mouth (IOD), and the lower teeth with it."""
    return CHIN_RISES * too_wide(shape)


def _oval_centre(shape: MouthShape) -> float:
    return float(shape.oval[:, 0].max() + shape.oval[:, 0].min()) / 2


def half_face(shape: MouthShape) -> float:
    return max(0.5, float(shape.oval[:, 0].max() - shape.oval[:, 0].min()) / 2)


def lateral_centre(shape: MouthShape) -> float:
    return (shape.centre_x + _oval_centre(shape)) / 2
