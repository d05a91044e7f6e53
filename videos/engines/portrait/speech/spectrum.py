"""Lip shapes straight from the spectrum, without knowing any phone."""

import numpy as np
from numpy.typing import NDArray

from .features import Features, bands_between


def spectral_jaw(features: Features, loudness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Jaw opening (n,) 0..1: a high first formant means an open mouth, hissing a closed one."""
    power = 10 ** (features.mel_db / 10)
    share = power / power.sum(axis=1, keepdims=True)
    low = share[:, bands_between(0, 500)].sum(axis=1)
    first_formant = share[:, bands_between(500, 1100)].sum(axis=1)
    hiss = np.clip((share[:, bands_between(3800, 8000)].sum(axis=1) - 0.25) / 0.4, 0, 1)
    open_share = first_formant / (first_formant + low + 1e-6)
    jaw: NDArray[np.float32] = loudness * (0.35 + 0.75 * open_share) * (1 - 0.65 * hiss)
    return jaw.astype(np.float32)
