"""When the lips are pressed together: b, p and m of any language.

The recogniser proposes, the level disposes: lips that hold back the air make the sound quieter
(stops) or dull (m), and the moment they part shows as a sudden rise.
"""

import numpy as np
from numpy.typing import NDArray

from . import constants as c
from .features import Features, bands_between
from .smoothing import blur, runs
from .units import BILABIALS, UNIT_INDEX


def find(posteriors: NDArray[np.float32], features: Features, language: str) -> list[tuple[int, int]]:
    """Half-open ranges of analysis frames in which the lips are closed, in order."""
    needed = c.CLOSURE_ON[language]
    likely = blur(
        posteriors[:, [UNIT_INDEX[name] for name in BILABIALS]].sum(axis=1), c.CLOSURE_EVIDENCE_SIGMA_S
    )
    brightness = _brightness(features)
    shortest = round(c.CLOSURE_SHORTEST_S * c.ANALYSIS_RATE)
    found = []
    for start, end in runs(likely > c.CLOSURE_HOLD * needed):
        if likely[start:end].max() < needed:
            continue
        end = _release(brightness, start, end)
        if end - start >= shortest:
            found.append((start, end))
    return found


def curve(closures: list[tuple[int, int]], count: int) -> NDArray[np.float32]:
    """(count,) how firmly the lips are pressed 0..1, with the time they need to close and part."""
    closed = np.zeros(count, np.float32)
    margin = round(c.CLOSURE_MARGIN_S * c.ANALYSIS_RATE)
    for start, end in closures:
        closed[max(0, start - margin) : end + margin] = 1
    return blur(closed, c.CLOSURE_SIGMA_S)


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
