"""Lip shapes of the recogniser's units.

The grouping follows the viseme table of MPEG-4 (ISO/IEC 14496-2, annex C) and JALI (Edwards et al.,
2016): bilabials close, labiodentals tuck, rounded vowels and postalveolars protrude. For Mandarin it
follows the four lip shapes of Chinese phonetics (kāikǒu, qíchǐ, hékǒu, cuōkǒu: open, spread, rounded
and protruded finals). The amounts were set by hand, in units of the rig's full travel; those of the
jaw were then moved towards what filmed speakers do (docs/lip-sync.md).
The tongue's tip has a table of its own, because what it does is independent of the lips.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech.units import UNITS


class Viseme(NamedTuple):
    """Target of one unit; ranges as in `track.SHAPE_NAMES`."""

    jaw: float
    width: float = 0.0
    pucker: float = 0.0
    upper_lip: float = 0.0
    lip_tuck: float = 0.0
    dominance: float = 1.0
    """How strongly the sound insists on its shape against its neighbours (Cohen & Massaro, 1993)."""


VISEMES = {
    "sil": Viseme(0.0, dominance=0.35),
    # Lips. Closed ones insist on closing, whatever stands beside them.
    "m": Viseme(0.0, dominance=1.6),
    "p": Viseme(0.0, dominance=1.6),
    "f": Viseme(0.08, 0.1, 0.0, 0.3, 1.0, dominance=1.5),
    "w": Viseme(0.12, -0.9, 0.95, dominance=1.2),
    # Tongue: the lips mostly follow the vowels around.
    "r": Viseme(0.14, -0.4, 0.5, 0.1, dominance=0.9),
    "l": Viseme(0.33, 0.1, 0.0, 0.1, dominance=0.5),
    "t": Viseme(0.2, 0.2, 0.0, 0.1, dominance=0.5),
    "n": Viseme(0.16, 0.15, 0.0, 0.1, dominance=0.5),
    "th": Viseme(0.23, 0.15, 0.0, 0.1, dominance=0.65),
    "k": Viseme(0.39, 0.1, 0.0, 0.1, dominance=0.35),
    "ng": Viseme(0.37, 0.1, 0.0, 0.1, dominance=0.4),
    "h": Viseme(0.37, dominance=0.25),
    # Hissing needs the teeth together; the back ones protrude, the front ones spread the lips.
    "s": Viseme(0.2, 0.4, 0.0, 0.3, dominance=0.9),
    "sh": Viseme(0.3, -0.35, 0.55, 0.3),
    "x": Viseme(0.2, 0.55, 0.0, 0.25, dominance=0.9),
    # Glides and vowels, from spread to open to rounded
    "y": Viseme(0.26, 0.55, 0.0, 0.1, dominance=0.7),
    "i": Viseme(0.48, 0.8, 0.0, 0.2),
    "ii": Viseme(0.26, 0.3, 0.0, 0.2, dominance=0.8),
    "ih": Viseme(0.46, 0.4, 0.0, 0.15, dominance=0.8),
    "e": Viseme(0.69, 0.5, 0.0, 0.2, dominance=0.95),
    "ae": Viseme(0.98, 0.45, 0.0, 0.2),
    "a": Viseme(0.98, 0.05, 0.0, 0.1),
    "uh": Viseme(0.45, 0.05, 0.0, 0.1, dominance=0.8),
    "er": Viseme(0.33, -0.25, 0.35, 0.1, dominance=0.9),
    "o": Viseme(0.5, -0.55, 0.6),
    "u": Viseme(0.13, -0.8, 0.9, dominance=1.15),
    "v": Viseme(0.22, -0.7, 0.85, dominance=1.15),
}

TONGUE_TIPS = {"l": (1.0, 0.0), "t": (1.0, 0.0), "n": (1.0, 0.0), "th": (1.0, 1.0)}
"""How far the tongue's tip is raised to the upper teeth, and put out between the teeth, 0..1."""


@lru_cache(maxsize=1)
def shape_table() -> NDArray[np.float32]:
    """(units, 5) targets in the order of `units.UNITS`."""
    return np.array([VISEMES[name][:5] for name in UNITS], np.float32)


@lru_cache(maxsize=1)
def dominance_table() -> NDArray[np.float32]:
    """(units,) dominance in the order of `units.UNITS`."""
    return np.array([VISEMES[name].dominance for name in UNITS], np.float32)


@lru_cache(maxsize=1)
def tongue_table() -> NDArray[np.float32]:
    """(units, 2) what the tongue's tip does, in the order of `units.UNITS`."""
    return np.array([TONGUE_TIPS.get(name, (0.0, 0.0)) for name in UNITS], np.float32)
