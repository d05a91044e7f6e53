"""From a sequence of phones to continuous lip shapes.

Neighbouring targets blend in proportion to their dominance, after M. Cohen and D. Massaro,
"Modeling coarticulation in synthetic visual speech" (1993), with Gaussian instead of exponential
dominance functions.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import constants as c
from .phones import Phone
from .smoothing import blur, widen
from .visemes import BILABIALS, REST, VISEMES


def targets(phones: Sequence[Phone], frames: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Blended lip shapes (frames, 5) and closures (frames,) at the analysis rate."""
    wanted = np.tile(np.array(REST[:5], np.float32), (frames, 1))
    dominance = np.full(frames, REST.dominance, np.float32)
    closed = np.zeros(frames, bool)
    for phone in phones:
        viseme = VISEMES.get(phone.name, REST)
        rows = slice(max(0, phone.start), min(frames, phone.end))
        wanted[rows] = viseme[:5]
        dominance[rows] = viseme.dominance
        if phone.name in BILABIALS:
            closed[rows] = True
    weight = blur(dominance, c.VISEME_SIGMA_S)[:, None]
    blended = blur(wanted * dominance[:, None], c.VISEME_SIGMA_S) / weight
    closure = blur(widen(closed, c.CLOSURE_MARGIN_S).astype(np.float32), c.CLOSURE_SIGMA_S)
    return blended, closure
