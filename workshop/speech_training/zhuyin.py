"""Connected Mandarin from recordings of single syllables by real speakers.

Needs the files of Debian's `gcin-voice` (speaker 3: GPL-3, speaker 5: CC-BY-3), one folder per
toned syllable in zhuyin. Speaker 5 is for training, speaker 3 for evaluation only.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech.constants import SAMPLE_RATE
from workshop.speech_training.ipa import IPA_UNITS
from workshop.speech_training.labels import Label, spread

HELD_SPEAKER = "3"
SPEAKERS = (HELD_SPEAKER, "5")

_INITIALS = dict(zip("ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎㄏㄐㄑㄒㄓㄔㄕㄖㄗㄘㄙ", "ppmfttnlkkhxxxʂʂʂʂsss", strict=True))
_FINALS = {
    "ㄚ": "a", "ㄛ": "o", "ㄜ": "ɤ", "ㄝ": "e", "ㄞ": "ai", "ㄟ": "ei", "ㄠ": "au", "ㄡ": "ou",
    "ㄢ": "an", "ㄣ": "ən", "ㄤ": "aŋ", "ㄥ": "əŋ", "ㄦ": "ɚ", "": "",
}  # fmt: skip
_JOINED = {
    "ㄧㄥ": "iŋ", "ㄨㄥ": "ʊŋ", "ㄩㄥ": "yʊŋ", "ㄧㄢ": "jɛn", "ㄩㄢ": "yɛn", "ㄧㄣ": "in",
    "ㄩㄣ": "yn", "ㄧ": "i", "ㄨ": "u", "ㄩ": "y",
}  # fmt: skip
_GLIDES = {"ㄧ": "j", "ㄨ": "w", "ㄩ": "y", "": ""}

_M_S = 0.08
_CLOSING = frozenset("ptkʂsx")
_LASTING = frozenset("mnlfʂsxh")


def syllables(folder: Path, speaker: str) -> list[Path]:
    """Recordings of one speaker, in a fixed order."""
    return sorted(folder.glob(f"*/{speaker}.ogg"))


def connected(
    recordings: Sequence[tuple[str, NDArray[np.float32]]], rng: random.Random
) -> tuple[NDArray[np.float32], list[Label]]:
    """Join (name, mono 16 kHz samples) syllables as fluent speech would.

    The long ends of syllables spoken alone are cut, sounds fade into each other, and the closures of
    stops vary in length and are now and then voiced or left out.
    """
    pcm = rest(0.3, rng)
    labels = [Label(0.0, 0.3, "sil")]
    for name, samples in recordings:
        initial, final = split(name)
        units = [unit for letter in final for unit in IPA_UNITS[letter]] or ["ii"]
        voice, share = _shortened(trim(samples), rng)
        start = len(pcm) / SAMPLE_RATE
        gap = rng.uniform(0.02, 0.1) if initial in _CLOSING else 0.0
        overlap = round(SAMPLE_RATE * (0.005 if gap else rng.uniform(0.005, 0.03)))
        if gap:
            pcm = np.concatenate([pcm, rest(gap, rng, level=10 ** rng.uniform(-4, -2.5))])
            labels.append(Label(start, start + gap, IPA_UNITS[initial][0]))
        fade = np.linspace(0, 1, overlap, dtype=np.float32)
        joined = pcm[-overlap:] * (1 - fade) + voice[:overlap] * fade
        pcm = np.concatenate([pcm[:-overlap], joined, voice[overlap:]])
        start, end = start + gap - overlap / 2 / SAMPLE_RATE, len(pcm) / SAMPLE_RATE
        onset = 0.0
        if initial:
            onset = min((end - start) / 3, _M_S if initial in _LASTING else 0.02)
            labels.append(Label(start, start + onset, IPA_UNITS[initial][0]))
        whole = spread(start + onset, start + onset + (end - start - onset) / share, units)
        labels += [label._replace(end_s=min(label.end_s, end)) for label in whole if label.start_s < end]
    labels.append(Label(len(pcm) / SAMPLE_RATE, len(pcm) / SAMPLE_RATE + 0.3, "sil"))
    return np.concatenate([pcm, rest(0.3, rng)]), labels


def _shortened(samples: NDArray[np.float32], rng: random.Random) -> tuple[NDArray[np.float32], float]:
    """The beginning of a syllable, faded out, and which share of it that is."""
    share = rng.uniform(0.45, 0.9)
    kept = samples[: round(len(samples) * share)].copy()
    tail = min(len(kept), round(0.04 * SAMPLE_RATE))
    kept[len(kept) - tail :] *= np.linspace(1, rng.uniform(0.1, 0.7), tail, dtype=np.float32)
    return kept, share


def split(name: str) -> tuple[str, str]:
    """IPA letter of the initial and IPA of the final of a zhuyin syllable such as ㄅㄚ4."""
    match = re.fullmatch(r"([ㄅ-ㄙ]?)([ㄧㄨㄩ]?)([ㄚ-ㄦ]?)([1-5]?)", name)
    if not match:
        raise ValueError(f"not a zhuyin syllable: {name}")
    initial, glide, rest, _ = match.groups()
    final = _JOINED.get(glide + rest) or _GLIDES[glide] + _FINALS[rest]
    return _INITIALS.get(initial, ""), final or "ɨ"


def trim(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut away what is more than 30 dB below the peak at both ends."""
    size = SAMPLE_RATE // 200
    blocks = np.sqrt((samples[: len(samples) // size * size].reshape(-1, size) ** 2).mean(axis=1))
    loud = np.flatnonzero(blocks > blocks.max() * 10 ** (-30 / 20))
    return samples[loud[0] * size : (loud[-1] + 1) * size]


def rest(seconds: float, rng: random.Random, level: float = 3e-4) -> NDArray[np.float32]:
    """Faint noise, as between words."""
    noise = np.random.default_rng(rng.randrange(2**32)).normal(0, level, round(seconds * SAMPLE_RATE))
    return noise.astype(np.float32)
