"""The displacement fields of the mouth: how each facial action moves the skin.

The mouth moves in two layers that slide past each other at the lips: what belongs to the upper lip and
what belongs to the lower lip and jaw. Each action has one field per layer, defined everywhere in the
region, and away from the lips both layers agree, so that no tear shows. A pose is a weighted sum.

Fields are *forward* displacements (where a point of the photo goes), sampled on a coarse grid of square
cells. Fields are smooth on the scale of a cell, so the coarse grid loses nothing.
"""

from dataclasses import dataclass

import numpy as np

from videos.engines.portrait.geometry import FaceFrame, Rect, border_window, smoothstep
from videos.engines.portrait.mouth.shape import MouthShape
from videos.engines.portrait.pixels import F32
from videos.engines.portrait.silhouette import Silhouette

ACTIONS = ("jaw", "close", "raise_upper", "raise_lower", "press", "wide", "pucker", "relax", "smile")
"""Order of the weights of a pose."""

CELL = 0.042
"""Side of a grid cell in IOD, made even pixels or one; finer shows no gain, coarser dents the corners."""

BORDER = 0.50
"""Width in IOD of the band along the border in which motion fades out: a dropping chin must fit into
it without folding."""
JAW = 0.30
"""Opening of the lips at a jaw's full drop."""
MAX_DENSER = 0.85
"""A dropped chin may squeeze what is below it by this share; at 1 the skin would fold."""
JAW_SKIN = 0.72
"""Share of the jaw's drop that the chin's skin follows at the lip line's side."""
LIPS_MEET_HALFWAY = 0.14
"""A gap up to this is closed by both lips; of what is more the upper lip takes UPPER_SHARE, the chin rises by
CHIN_RISES of it, and the lower lip does the rest."""
UPPER_SHARE, CHIN_RISES = 0.15, 0.6
WIDTH_NARROWING = 0.10
"""Vertical thinning of stretched lips, per unit of width."""


@dataclass(frozen=True)
class MouthFields:
    """`upper` and `lower`: (actions, rows * columns * 2), forward displacement in pixels of unit weight."""

    rect: Rect
    cell: int
    columns: int
    rows: int
    upper: F32
    lower: F32


def mouth_region(shape: MouthShape, frame: FaceFrame, width: int, height: int) -> tuple[Rect, int]:
    """The part of the image the mouth's fields can move, and the side of a grid cell in pixels."""
    reach = 1.14 * _half_face(shape)
    centre = _lateral_centre(shape)
    box = frame.box(centre - reach, shape.nose[1] - 0.35, centre + reach, shape.chin[1] + 0.66).clipped(
        Rect(0, 0, width, height)
    )
    cell = max(1, round(CELL * frame.iod / 2) * 2)
    columns, rows = max(4, box.width // cell), max(4, box.height // cell)
    return Rect(box.x0, box.y0, box.x0 + columns * cell, box.y0 + rows * cell), cell


def build_fields(
    shape: MouthShape, frame: FaceFrame, person: Silhouette, width: int, height: int
) -> MouthFields:
    """Sample every action's field for a portrait of `width` × `height` pixels; only the `person` moves."""
    rect, cell = mouth_region(shape, frame, width, height)
    x, y = frame.coordinates(rect, cell)
    window = border_window(width, height, rect, cell, BORDER * frame.iod) * person.at_cells(rect, cell)
    zero = np.zeros_like(x)
    parts = _Parts.sample(shape, x, y)
    layers = {
        "jaw": parts.jaw(),
        "close": parts.shut(),
        "raise_upper": ((zero, -parts.above * parts.lip_reach()), (zero, zero)),
        "raise_lower": ((zero, zero), (zero, parts.below * parts.lens)),
        "press": ((zero, parts.above * parts.lens), (zero, -parts.below * parts.lens)),
        "wide": parts.both(*parts.widen()),
        "pucker": parts.both(*parts.purse()),
        "relax": parts.both(*parts.corner_pull(0.9, 1.0)),
        "smile": parts.both(*parts.corner_pull(-0.75, -1.0)),
    }
    stacks = []
    for side in (0, 1):
        fields = [frame.vectors(*layers[name][side]) * window[..., None] for name in ACTIONS]
        stacks.append(np.stack(fields).astype(np.float32))
    jaw = ACTIONS.index("jaw")
    squeeze = max(float(-np.diff(stack[jaw, ..., 1], axis=0).min(initial=0)) / cell for stack in stacks)
    for stack in stacks:
        stack[jaw] *= np.float32(min(1.0, MAX_DENSER / max(JAW * squeeze, 1e-6)))
    stacks = [stack.reshape(len(ACTIONS), -1) for stack in stacks]
    return MouthFields(rect, cell, x.shape[1], x.shape[0], stacks[0], stacks[1])


Field = tuple[F32, F32]
"""Face-frame displacement: x part and y part, (rows, columns) each, in IOD."""


@dataclass(frozen=True)
class _Parts:
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
    def sample(shape: MouthShape, x: F32, y: F32) -> "_Parts":
        upper, lower = shape.upper_y(x), shape.lower_y(x)
        across = shape.across(x)
        nose = float(shape.nose[1]) + 0.01
        rise = np.clip((y - nose) / np.maximum(0.05, upper - nose), 0, 1)
        return _Parts(
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
        half = _half_face(self.shape)
        middle = np.float32((self.shape.centre_x + _oval_centre(self.shape)) / 2)
        lateral = 1 - smoothstep(0.35 * half, 1.12 * half, np.abs(self.x - middle))
        fade = 1 - smoothstep(chin - 0.02, chin + 0.62, self.y)
        skin = ramp * lateral * fade * np.float32(JAW_SKIN)
        lip = (1 - ramp) * self.lens * (1 - 0.28 * smoothstep(0, 0.8, v)) * fade
        chin_pad = ramp * self.lens * lateral * fade * (1 - JAW_SKIN) * (1 - smoothstep(0.15, 0.9, v))
        zero = np.zeros_like(skin)
        return (zero, skin), (zero, np.maximum(skin, skin + lip + chin_pad))

    def shut(self) -> tuple[Field, Field]:
        """An open mouth's lips brought together: halfway each, what is more by chin and lower lip."""
        wide = np.float32(max(0.0, self.shape.gap - LIPS_MEET_HALFWAY))
        raised = CHIN_RISES * wide
        down = np.minimum(0.5 * self.gap, 0.5 * np.minimum(self.gap, LIPS_MEET_HALFWAY) + UPPER_SHARE * wide)
        chin, jaw = self.jaw()
        at_lip = _Parts.sample(self.shape, self.x, self.shape.lower_y(self.x)).jaw()[1][1]
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


def _oval_centre(shape: MouthShape) -> float:
    return float(shape.oval[:, 0].max() + shape.oval[:, 0].min()) / 2


def _half_face(shape: MouthShape) -> float:
    return max(0.5, float(shape.oval[:, 0].max() - shape.oval[:, 0].min()) / 2)


def _lateral_centre(shape: MouthShape) -> float:
    return (shape.centre_x + _oval_centre(shape)) / 2
