"""Connected Mandarin from recordings of single syllables by real speakers, for evaluation only.

Needs the files of Debian's `gcin-voice` (speaker 3: GPL-3, speaker 5: CC-BY-3), one folder per
toned syllable in zhuyin. No weights of this project are trained on them.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from ..constants import SAMPLE_RATE
from .ipa import IPA_UNITS
from .labels import Label, spread

SPEAKERS = ("3", "5")

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

_GAP_S = 0.05
"""Pause before syllables whose initial is a closed stop or affricate."""
_M_S = 0.08
_ONSET_SHARE = 0.1


def syllables(folder: Path, speaker: str) -> list[Path]:
    """Recordings of one speaker, in a fixed order."""
    return sorted(folder.glob(f"*/{speaker}.ogg"))


def decode(path: Path) -> NDArray[np.float32]:
    """Mono 16 kHz samples of one recording."""
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    with av.open(str(path)) as file:
        frames = [piece for frame in file.decode(audio=0) for piece in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray().ravel() for frame in [*frames, *resampler.resample(None)]])
    return samples.astype(np.float32) / np.float32(32768)


def sentence(
    recordings: Sequence[tuple[str, NDArray[np.float32]]], rng: random.Random
) -> tuple[NDArray[np.float32], list[Label]]:
    """Join trimmed (name, mono 16 kHz samples) syllables at speaking rhythm."""
    pieces: list[NDArray[np.float32]] = [_rest(0.3, rng)]
    labels = [Label(0.0, 0.3, "sil")]
    now = 0.3
    for name, samples in recordings:
        initial, final = split(name)
        voice = trim(samples)
        if initial in set("ptkʂsx"):
            pieces.append(_rest(_GAP_S, rng))
            labels.append(Label(now, now + _GAP_S, IPA_UNITS[initial][0]))
            now += _GAP_S
        duration = len(voice) / SAMPLE_RATE
        onset = 0.0
        if initial:
            onset = min(duration / 3, _M_S if initial in "mnlfʂsxh" else 0.02)
            labels.append(Label(now, now + onset, IPA_UNITS[initial][0]))
        units = [unit for letter in final for unit in IPA_UNITS[letter]]
        labels += spread(now + onset, now + duration, units or ["ii"])
        pieces.append(voice)
        now += duration
    pieces.append(_rest(0.3, rng))
    return np.concatenate(pieces), [*labels, Label(now, now + 0.3, "sil")]


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


def _rest(seconds: float, rng: random.Random) -> NDArray[np.float32]:
    noise = np.random.default_rng(rng.randrange(2**32)).normal(0, 3e-4, round(seconds * SAMPLE_RATE))
    return noise.astype(np.float32)
