"""Lip shapes of the phones of English, in ARPABET.

The grouping follows the MPEG-4 viseme table (ISO/IEC 14496-2) and JALI (Edwards et al., 2016):
bilabials close, labiodentals tuck, rounded vowels and postalveolars protrude. The amounts were
set by hand against a real talking clip, in units of the rig's full travel.
"""

from typing import NamedTuple


class Viseme(NamedTuple):
    """Target of one phone; ranges as in `track.SHAPE_NAMES`."""

    jaw: float
    width: float = 0.0
    pucker: float = 0.0
    upper_lip: float = 0.0
    lip_tuck: float = 0.0
    dominance: float = 1.0
    """How strongly the phone insists on its shape against its neighbours (Cohen & Massaro, 1993)."""


REST = Viseme(0, dominance=0.35)

VISEMES = {
    "SIL": REST,
    # Vowels
    "AA": Viseme(0.95, 0.05, 0, 0.1),
    "AE": Viseme(0.85, 0.45, 0, 0.2),
    "AH": Viseme(0.55, 0.05, 0, 0.1, dominance=0.8),
    "AO": Viseme(0.75, -0.45, 0.5),
    "AW": Viseme(0.9, -0.15, 0.35),
    "AY": Viseme(0.8, 0.3, 0, 0.15),
    "EH": Viseme(0.68, 0.45, 0, 0.2, dominance=0.9),
    "ER": Viseme(0.44, -0.25, 0.35, 0.1, dominance=0.9),
    "EY": Viseme(0.68, 0.6, 0, 0.2, dominance=0.9),
    "IH": Viseme(0.42, 0.4, 0, 0.15, dominance=0.8),
    "IY": Viseme(0.38, 0.85, 0, 0.2),
    "OW": Viseme(0.48, -0.65, 0.75),
    "OY": Viseme(0.6, -0.5, 0.6),
    "UH": Viseme(0.35, -0.45, 0.5, dominance=0.9),
    "UW": Viseme(0.25, -0.9, 1.0, dominance=1.2),
    # Lips
    "B": Viseme(0, dominance=1.6),
    "P": Viseme(0, dominance=1.6),
    "M": Viseme(0, dominance=1.6),
    "F": Viseme(0.12, 0.1, 0, 0.3, 1.0, dominance=1.5),
    "V": Viseme(0.12, 0.1, 0, 0.25, 1.0, dominance=1.4),
    "W": Viseme(0.18, -0.9, 0.95, dominance=1.2),
    # Tongue tip
    "TH": Viseme(0.25, 0.15, 0, 0.1, dominance=0.7),
    "DH": Viseme(0.25, 0.15, 0, 0.1, dominance=0.6),
    "S": Viseme(0.16, 0.4, 0, 0.3, dominance=0.9),
    "Z": Viseme(0.16, 0.35, 0, 0.3, dominance=0.9),
    "T": Viseme(0.2, 0.2, 0, 0.1, dominance=0.5),
    "D": Viseme(0.22, 0.2, 0, 0.1, dominance=0.5),
    "N": Viseme(0.22, 0.15, 0, 0.1, dominance=0.5),
    "L": Viseme(0.38, 0.1, 0, 0.1, dominance=0.5),
    "R": Viseme(0.25, -0.4, 0.5, 0.1, dominance=0.9),
    # Palate and throat
    "SH": Viseme(0.22, -0.4, 0.6, 0.3),
    "ZH": Viseme(0.22, -0.4, 0.6, 0.3),
    "CH": Viseme(0.2, -0.35, 0.55, 0.3),
    "JH": Viseme(0.2, -0.35, 0.5, 0.3),
    "Y": Viseme(0.25, 0.55, 0, 0.1, dominance=0.7),
    "K": Viseme(0.4, 0.1, 0, 0.1, dominance=0.35),
    "G": Viseme(0.36, 0.1, 0, 0.1, dominance=0.35),
    "NG": Viseme(0.38, 0.1, 0, 0.1, dominance=0.4),
    "HH": Viseme(0.35, dominance=0.25),
}

BILABIALS = frozenset({"B", "P", "M"})
