"""A small neural network that tells the sounds of English and Mandarin apart, frame by frame.

A perceptron on the mel spectra of a quarter of a second, run with NumPy alone. `training/` holds
everything that made its weights.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .features import Features

CONTEXT = (-14, -10, -7, -5, -3, -2, -1, 0, 1, 2, 3, 5, 7, 10, 14)
"""Frames the network sees around the one it judges, denser towards the middle."""

SCALE_DB = 15.0
"""Spectra are given in this unit, after taking off the mean of the recording."""

_BLOCK_FRAMES = 4096
_WEIGHTS = Path(__file__).with_name("recogniser.npz")


@dataclass(frozen=True)
class Network:
    """Weights of a perceptron with rectified hidden layers."""

    layers: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    """Matrix (inputs, outputs) and bias (outputs,) of each layer."""

    def scores(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, units) log probabilities up to a constant per row of (n, inputs)."""
        values = inputs
        for matrix, bias in self.layers[:-1]:
            values = np.maximum(values @ matrix + bias, 0)
        matrix, bias = self.layers[-1]
        result: NDArray[np.float32] = values @ matrix + bias
        return result


def posteriors(features: Features, speech: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n, units) probability of every unit of `units.UNITS` in every analysis frame."""
    return classify(_network(), normalise(features.mel_db, speech))


def classify(network: Network, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, units) probabilities for (n, bands) normalised spectra."""
    count = len(spectra)
    results = []
    for start in range(0, count, _BLOCK_FRAMES):
        rows = np.arange(start, min(start + _BLOCK_FRAMES, count))
        scores = network.scores(with_context(spectra, rows))
        scores -= scores.max(axis=1, keepdims=True)
        raised = np.exp(scores)
        results.append(raised / raised.sum(axis=1, keepdims=True))
    return np.concatenate(results)


def normalise(mel_db: NDArray[np.float32], speech: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Spectra relative to the mean of the speech, so that microphone and volume do not matter."""
    reference = mel_db[speech] if speech.any() else mel_db
    relative: NDArray[np.float32] = (mel_db - reference.mean(axis=0)) / np.float32(SCALE_DB)
    return np.clip(relative, -4, 3)


def with_context(spectra: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(rows, context * bands): each row's spectrum with its neighbours'; the ends are held."""
    around = np.clip(rows[:, None] + np.array(CONTEXT), 0, len(spectra) - 1)
    return spectra[around].reshape(len(rows), -1)


def load_network(path: Path) -> Network:
    """Read weights as `training/train.py` writes them."""
    with np.load(path, allow_pickle=False) as archive:
        names = range(len(archive.files) // 2)
        pairs = [(archive[f"matrix{index}"], archive[f"bias{index}"]) for index in names]
    return Network(tuple((matrix.astype(np.float32), bias.astype(np.float32)) for matrix, bias in pairs))


@lru_cache(maxsize=1)
def _network() -> Network:
    return load_network(_WEIGHTS)
