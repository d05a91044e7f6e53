"""Who speaks when: speech presence against stationary noise, loudness and emphasis."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, percentile_filter

from engines.portrait.speech import constants as c
from engines.portrait.speech.features import Features, bands_between
from engines.portrait.speech.smoothing import blur, ramp, runs


@dataclass(frozen=True)
class Activity:
    """Speech activity at the analysis rate."""

    loudness: NDArray[np.float32]
    """(n,) 0..1 relative to the recording's own speech level; 0 where nobody speaks."""
    stress: NDArray[np.float32]
    """(n,) 0..1, how much a syllable stands out of its surroundings."""
    speech: NDArray[np.bool_]
    """(n,) whether somebody speaks."""


def detect(features: Features) -> Activity:
    """Find the speech in a recording, ignoring steady noise, hum and tones."""
    presence = _presence(features)
    speech = _hysteresis(presence)
    loudness = _loudness(features.level_db, speech) * presence
    return Activity(loudness=loudness, stress=_stress(loudness), speech=speech)


def _presence(features: Features) -> NDArray[np.float32]:
    """Likeliness of speech 0..1 from the level above the noise in the bands of speech."""
    # The median takes out clicks, such as the edges of a tone, which hit all bands for a moment.
    # Beyond the ends it finds silence, so that half a click there stays one.
    bands = features.mel_db[:, bands_between(150, 6000)]
    lasting = median_filter(bands, (c.CLICK_FRAMES, 1), mode="constant", cval=bands.min())
    bands = blur(lasting, c.ACTIVITY_SMOOTHING_S)
    above = np.maximum(bands - _noise_level(bands), 0)
    # The strongest half of the bands: vowels leave the upper ones empty, fricatives the lower.
    half = above.shape[1] // 2
    strongest = np.partition(above, half, axis=1)[:, half:].mean(axis=1)
    return ramp(strongest, c.SPEECH_SNR_DB) * ramp(blur(features.level_db, 0.02), c.QUIET_DB)


def _noise_level(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Level of the stationary part of each band: a low percentile over a sliding window.

    After R. Martin, "Noise power spectral density estimation based on optimal smoothing and
    minimum statistics" (2001); computed on every tenth frame, since noise moves slowly.
    """
    step = 10
    coarse = bands[::step]
    window = max(3, round(c.NOISE_WINDOW_S * c.ANALYSIS_RATE / step))
    level = percentile_filter(coarse, c.NOISE_PERCENTILE, size=(window, 1), mode="nearest")
    return np.repeat(level, step, axis=0)[: len(bands)]


def _hysteresis(presence: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Stretches above the lower threshold that reach the higher one, with short gaps closed."""
    speech = np.zeros(len(presence), bool)
    for start, end in runs(presence > c.SPEECH_OFF):
        if presence[start:end].max() > c.SPEECH_ON:
            speech[start:end] = True
    shortest = round(c.SHORTEST_SPEECH_S * c.ANALYSIS_RATE)
    for start, end in runs(speech):
        speech[start:end] = end - start >= shortest
    gap = round(c.HANGOVER_S * c.ANALYSIS_RATE)
    for start, end in runs(~speech):
        if end - start <= gap and start > 0 and end < len(speech):
            speech[start:end] = True
    return speech


def _loudness(level_db: NDArray[np.float32], speech: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Level relative to the loud parts of the speech, so that recording volume does not matter."""
    if not speech.any():
        return np.zeros(len(level_db), np.float32)
    reference = float(np.percentile(level_db[speech], 95))
    low, high = c.LOUDNESS_RANGE_DB
    return ramp(level_db, (reference + low, reference + high))


def _stress(loudness: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the loudness of a syllable rises above the phrase around it."""
    syllable = blur(loudness, c.STRESS_SIGMA_S)
    phrase = blur(loudness, 8 * c.STRESS_SIGMA_S)
    return np.clip((syllable - phrase) * 2.5, 0, 1).astype(np.float32)
