"""When the lips are pressed together: b, p and m of any language.

The recogniser proposes stretches in which the lips may be closed. A logistic regression over what it
hears there judges each as a whole, and the level tells when the closure ends: lips that hold back the
air make the sound quieter (stops) or dull (m), and the moment they part shows as a sudden rise.
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech import constants as c
from engines.portrait.speech.features import Features, bands_between
from engines.portrait.speech.recogniser import Sounds
from engines.portrait.speech.smoothing import blur, runs
from engines.portrait.speech.units import UNIT_INDEX

WEIGHTS = Path(__file__).with_name("closures.npz")
"""The judge's weights in use."""

_WITNESSES = ("m", "p", "n", "ng", "t", "k", "f", "w", "l", "h", "sil", "u", "r", "th", "s")
"""Units whose probability speaks for or against a closure: those that are confused with one."""


class Candidate(NamedTuple):
    """A stretch of analysis frames in which the lips may be closed."""

    start: int
    end: int
    evidence: NDArray[np.float32]
    """(features,) what the judge goes by."""


class Judge(NamedTuple):
    """Logistic regression: a weight for every piece of evidence."""

    weight: NDArray[np.float32]
    bias: float

    def probability(self, evidence: NDArray[np.float32]) -> float:
        """How likely the lips are closed."""
        return float(1 / (1 + np.exp(-np.clip(evidence @ self.weight + self.bias, -30, 30))))


def find(sounds: Sounds, features: Features) -> list[tuple[int, int]]:
    """Half-open ranges of analysis frames in which the lips are closed, in order."""
    judge = load_judge()
    return [
        (candidate.start, candidate.end)
        for candidate in candidates(sounds, features)
        if judge.probability(candidate.evidence) > c.CLOSURE_ON
    ]


def candidates(sounds: Sounds, features: Features) -> list[Candidate]:
    """Every stretch in which the recogniser thinks of a closure at all, in order."""
    likely = blur(sounds.closed, c.CLOSURE_EVIDENCE_SIGMA_S)
    brightness = _brightness(features)
    shortest = round(c.CLOSURE_SHORTEST_S * c.ANALYSIS_RATE)
    found = []
    for first, last in runs(likely > c.CLOSURE_THOUGHT_OF):
        peak = first + int(np.argmax(likely[first:last]))
        start, end = _around(likely, first, last, peak)
        heard = sounds.posteriors[start:end].mean(axis=0)
        odds = float(np.log(likely[peak] / max(1e-4, 1 - likely[peak])))
        witnesses = np.sqrt(heard[[UNIT_INDEX[name] for name in _WITNESSES]])
        evidence = np.array([odds, np.log(end - start), *witnesses], np.float32)
        end = _release(brightness, start, end)
        if end - start >= shortest:
            found.append(Candidate(start, end, evidence))
    return found


def curve(closures: list[tuple[int, int]], count: int) -> NDArray[np.float32]:
    """(count,) how firmly the lips are pressed 0..1, with the time they need to close and part."""
    closed = np.zeros(count, np.float32)
    margin = round(c.CLOSURE_MARGIN_S * c.ANALYSIS_RATE)
    for start, end in closures:
        closed[max(0, start - margin) : end + margin] = 1
    return blur(closed, c.CLOSURE_SIGMA_S)


@lru_cache(maxsize=1)
def load_judge() -> Judge:
    """The judge as `training/train_closures.py` writes it."""
    with np.load(WEIGHTS, allow_pickle=False) as archive:
        return Judge(archive["weight"], float(archive["bias"]))


def _around(likely: NDArray[np.float32], first: int, last: int, peak: int) -> tuple[int, int]:
    """The frames about a peak, between two frames, that come near it."""
    near = likely[first:last] > c.CLOSURE_HOLD * likely[peak]
    before = np.flatnonzero(~near[: peak - first])
    after = np.flatnonzero(~near[peak - first :])
    start = first + int(before[-1]) + 1 if len(before) else first
    return start, peak + int(after[0]) if len(after) else last


def _brightness(features: Features) -> NDArray[np.float32]:
    """Level of the bands above the murmur of an m, in dB."""
    bands = features.mel_db[:, bands_between(600, 5000)]
    return blur(bands.mean(axis=1), c.CLOSURE_EVIDENCE_SIGMA_S)


def _release(brightness: NDArray[np.float32], start: int, end: int) -> int:
    """Where a closure between two frames really ends: at the steepest rise after its dullest moment."""
    dullest = start + int(np.argmin(brightness[start:end]))
    rise = np.diff(brightness[dullest : min(end + 2, len(brightness))])
    if len(rise) == 0 or rise.max() < c.RELEASE_RISE_DB:
        return end
    return min(end, dullest + int(np.argmax(rise)) + 1)
