"""Rows of single syllables spoken by real people, from a game that teaches the alphabet.

Needs the contents of Debian's `klettres-data` (GPL-2 or later), where a file is named after the syllable in
it. Languages are read whose spelling tells the sounds. The boundaries are found by `timing`; then the
syllables move together as in fluent speech, with closures of varying length before stops.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech.constants import SAMPLE_RATE
from engines.portrait.speech.recogniser import Network
from workshop.speech_training import timing
from workshop.speech_training.labels import Label
from workshop.speech_training.zhuyin import rest, trim

LANGUAGES = ("es", "it", "pt_BR", "tn", "ml", "ru", "uk")

_VOWELS = {"a": "a", "e": "e", "i": "i", "o": "o", "u": "u"}
_CONSONANTS = {
    "p": "p", "b": "p", "ph": "p", "bh": "p", "m": "m", "mm": "m", "f": "f", "t": "t", "d": "t", "th": "t",
    "dh": "t", "tt": "t", "r": "t", "n": "n", "nn": "n", "ny": "n", "gn": "n", "l": "l", "ll": "l", "ly": "l",
    "k": "k", "kh": "k", "gh": "k", "s": "s", "ts": "s", "sh": "sh", "ch": "sh", "cch": "sh", "sch": "sh",
    "zh": "sh", "dzh": "sh", "ng": "ng", "w": "w", "y": "y",
}  # fmt: skip
_BY_LANGUAGE = {
    "es": {"v": "p", "j": "h", "ny": "n", "ll": "y", "z": "s", "ch": "sh"},
    "it": {"v": "f", "z": "s"},
    "pt_BR": {"v": "f", "z": "s", "j": "sh"},
    "ru": {"v": "f", "z": "s", "h": "h", "g": "k"},
    "uk": {"v": "f", "z": "s", "h": "h", "g": "k"},
    "ml": {"v": "f", "j": "sh", "h": "h", "g": "k"},
    "tn": {"g": "h"},
}
_BEFORE_FRONT = {"es": {"c": "s", "g": "h"}, "it": {"c": "sh", "g": "sh"}, "pt_BR": {"c": "s", "g": "sh"}}
_STOPS = frozenset("ptk")
_EDGE_S = 0.06


def units_of(name: str, language: str) -> list[str]:
    """Units of a syllable in the spelling of a language; raises `ValueError` for another kind of name."""
    match = re.fullmatch(r"([bcdfghjklmnprstvwyz]*)(aa|ee|ii|oo|uu|[aeiou])", name)
    if not match:
        raise ValueError(f"not an open syllable: {name}")
    initial, vowel = match[1], match[2][0]
    front = _BEFORE_FRONT.get(language, {}) if vowel in "ei" else {"c": "k", "g": "k"}
    known = _CONSONANTS | front | _BY_LANGUAGE[language]
    if initial and initial not in known:
        raise ValueError(f"not a simple syllable: {name}")
    return [*([known[initial]] if initial else []), _VOWELS[vowel]]


def recordings(folder: Path, language: str) -> list[tuple[Path, list[str]]]:
    """Files of a language that can be read, and their units."""
    found = []
    for path in sorted(folder.rglob(f"klettres/{language}/syllab/*.ogg")):
        try:
            found.append((path, units_of(path.stem, language)))
        except ValueError:
            continue
    return found


def joined(
    spoken: Sequence[tuple[NDArray[np.float32], list[str]]], network: Network, rng: random.Random
) -> tuple[NDArray[np.float32], list[Label]]:
    """Mono 16 kHz samples and labels of a row of (samples, units) syllables.

    Raises `ValueError` where the units do not fit the recordings.
    """
    edge = rest(_EDGE_S, rng)
    row = np.concatenate([edge, *(part for samples, _ in spoken for part in (trim(samples), edge, edge))])
    timed = timing.align(row, [units for _, units in spoken], network)
    sounds = [label for label in timed.labels if label.name != "sil"]
    pcm, known, index = rest(0.3, rng), [Label(0.0, 0.3, "sil")], 0
    for _, units in spoken:
        first, last = sounds[index], sounds[index + len(units) - 1]
        length_s = (last.start_s - first.start_s) + (last.end_s - last.start_s) * rng.uniform(0.4, 0.9)
        begin, end = (round(moment * SAMPLE_RATE) for moment in (first.start_s, first.start_s + length_s))
        piece = row[begin:end].copy()
        fade = min(len(piece), round(0.03 * SAMPLE_RATE))
        piece[len(piece) - fade :] *= np.linspace(1, 0.3, fade, dtype=np.float32)
        if units[0] in _STOPS:
            gap_s = rng.uniform(0.0, 0.09)
            known.append(Label(known[-1].end_s, known[-1].end_s + gap_s, units[0]))
            pcm = np.concatenate([pcm, rest(gap_s, rng, level=10 ** rng.uniform(-4, -2.7))])
        shift = len(pcm) / SAMPLE_RATE - first.start_s
        for label in sounds[index : index + len(units)]:
            end_s = min(label.end_s, first.start_s + length_s)
            known.append(Label(label.start_s + shift, end_s + shift, label.name))
        pcm, index = np.concatenate([pcm, piece]), index + len(units)
    end_s = len(pcm) / SAMPLE_RATE
    return np.concatenate([pcm, rest(0.3, rng)]), [*known, Label(end_s, end_s + 0.3, "sil")]
