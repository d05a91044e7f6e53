"""From what is being said to how far each action of the mouth moves.

Amplitudes are in IOD and were tuned by eye against real talking clips (mean and 95th percentile of the
lips' opening) on portraits with closed lips, with toothy smiles and with beards.
"""

from typing import NamedTuple

import numpy as np

from engines.portrait.mouth.fields import ACTIONS, JAW
from engines.portrait.mouth.shape import MouthShape
from engines.portrait.pixels import F32

WIDTH = 0.10
"""Share by which the mouth widens at width 1 (and narrows at -1)."""
PUCKER = 0.35
"""Share by which the middle of the mouth narrows at pucker 1; its corners come in by two thirds of that."""
RAISE_UPPER = 0.045
POUT, POUT_OPENING = 0.5, 0.2
"""Rounded lips hang over the teeth: how far the upper one comes down at pucker 1, as a share of RAISE_UPPER;
less where lips are opened by less than POUT_OPENING of the jaw's range, which would meet."""
TUCK = 0.05
"""Lift of the lower lip towards the teeth for f and v."""
PRESS = 0.016
"""Overlap of the lips at a full closure, which the clamping at the seam shows as pressed lips."""
RELAX = 0.05
"""How far the corners of a smiling mouth come in while it talks."""
SMILE = 0.085
"""Rise of the corners at smile 1."""
OVERCLOSE = 1.06
"""A grin is closed by this much of its gap, so that the lips touch rather than almost touch."""
GRIN_JAW_SHARE = 0.55
"""An open mouth's own gap stands for at most this share of the jaw's range."""


class MouthPose(NamedTuple):
    """One frame of the mouth. Ranges as in `speech.VisemeTrack`, and two that are not speech's:

    `smile` -1 (corners down) .. 1, and `engage` 0 (the photo as it is) .. 1 (talking).
    """

    jaw: float = 0.0
    width: float = 0.0
    pucker: float = 0.0
    upper_lip: float = 0.0
    tuck: float = 0.0
    closure: float = 0.0
    tongue: float = 0.0
    tongue_out: float = 0.0
    smile: float = 0.0
    engage: float = 1.0


REST = MouthPose(engage=0.0)


class Inside(NamedTuple):
    """What is seen between the lips in one frame, all 0..1.

    `reveal` is how much of the painted interior shows, `tongue` how far the tongue's tip is up, `tongue_out`
    how far it is between the teeth.
    """

    reveal: float = 1.0
    tongue: float = 0.0
    tongue_out: float = 0.0


def inside_of(pose: MouthPose, shape: MouthShape) -> Inside:
    """What shows of the interior: all of it where the photo's lips are closed."""
    reveal = min(1.0, max(0.0, pose.engage)) if shape.open else 1.0
    return Inside(reveal, pose.tongue, pose.tongue_out)


def action_weights(pose: MouthPose, shape: MouthShape) -> F32:
    """Weights (actions,) of `pose` for a mouth, in the order of `fields.ACTIONS`."""
    closure = min(1.0, pose.closure)
    opening = max(pose.jaw * (1 - 0.6 * pose.tuck), 0.13 * pose.tuck) * (1 - closure)
    opening *= (1 - 0.25 * shape.smile) * pose.engage
    jaw, close, lip = JAW * opening, 0.0, 1.0
    if shape.open:
        own = min(1.0, GRIN_JAW_SHARE * JAW / shape.gap)
        close = OVERCLOSE * (pose.engage - opening * own)
        jaw -= shape.gap * opening * own
        lip = 0.25
    pucker = max(0.0, pose.pucker)
    pout = POUT * pucker * min(1.0, opening / POUT_OPENING)
    weights = {
        "jaw": jaw,
        "close": close,
        "raise_upper": lip
        * RAISE_UPPER
        * (pose.upper_lip * (1 - closure) + 0.35 * opening + 0.4 * pose.tuck - pout),
        "raise_lower": 0.02 * opening - 0.6 * TUCK * pose.tuck,
        "press": PRESS * closure * pose.engage,
        "wide": WIDTH * (pose.width + 0.55 * max(0.0, pose.smile)),
        "pucker": PUCKER * pucker,
        "relax": RELAX * shape.smile * min(1.0, 0.35 + 1.3 * opening + 0.5 * pucker) * pose.engage,
        "smile": SMILE * pose.smile,
    }
    return np.array([weights[name] for name in ACTIONS], np.float32)
