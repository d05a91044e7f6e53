"""Telling English from Mandarin by the sounds that are heard.

A logistic regression on how often each unit occurs, trained by `training/train_language.py`; the
idea of judging a language by its phone statistics is that of phonotactic language identification
(M. Zissman, 1996).
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech import constants as c

UNDETERMINED = "und"

WEIGHTS = Path(__file__).with_name("language.npz")


def detect(posteriors: NDArray[np.float32], speech: NDArray[np.bool_]) -> str:
    """ "en", "zh" or "und" from (n, units) probabilities and (n,) speech flags."""
    if speech.sum() < c.LANGUAGE_SHORTEST_S * c.ANALYSIS_RATE:
        return UNDETERMINED
    weight, bias = _model()
    score = float(statistics(posteriors, speech) @ weight + bias)
    if abs(score) < c.LANGUAGE_MARGIN:
        return UNDETERMINED
    return "zh" if score > 0 else "en"


def statistics(posteriors: NDArray[np.float32], speech: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(units,) root of the share of speech time that each unit takes."""
    shares: NDArray[np.float32] = np.sqrt(posteriors[speech].mean(axis=0))
    return shares


@lru_cache(maxsize=1)
def _model() -> tuple[NDArray[np.float32], float]:
    with np.load(WEIGHTS, allow_pickle=False) as archive:
        return archive["weight"], float(archive["bias"])
