"""A small neural network that tells the sounds of English and Mandarin apart, frame by frame.

A convolutional network over time on mel spectra, run with NumPy alone: depthwise-separable
convolutions with growing dilation let it see 0.6 s on either side of every frame.
`training/` holds everything that made its weights.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .features import Features
from .units import UNITS

SCALE_DB = 15.0
"""Spectra are given in this unit, after taking off the mean of the recording."""

_BLOCK_FRAMES = 2048
WEIGHTS = Path(__file__).with_name("recogniser.npz")
"""The weights in use."""


@dataclass(frozen=True)
class Sounds:
    """What is heard in every analysis frame."""

    posteriors: NDArray[np.float32]
    """(n, units) probability of every unit of `units.UNITS`."""
    closed: NDArray[np.float32]
    """(n,) probability that the lips are pressed together for b, p or m."""


@dataclass(frozen=True)
class Block:
    """A residual block: every channel is filtered over time, then the channels are mixed."""

    dilation: int
    taps: NDArray[np.float32]
    """(length, channels)"""
    inner: tuple[NDArray[np.float32], NDArray[np.float32]]
    """Matrix (channels, channels) and bias before the rectifier."""
    outer: tuple[NDArray[np.float32], NDArray[np.float32]]
    """The same after it."""

    @property
    def reach(self) -> int:
        """Frames that are used up on either side."""
        return self.dilation * (len(self.taps) // 2)

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n - 2 * reach, channels) from (n, channels)."""
        count = len(values) - 2 * self.reach
        filtered = self.taps[0] * values[:count]
        result = np.empty_like(filtered)
        for index in range(1, len(self.taps)):
            start = index * self.dilation
            filtered += np.multiply(self.taps[index], values[start : start + count], out=result)
        hidden = filtered @ self.inner[0]
        hidden += self.inner[1]
        np.maximum(hidden, 0, out=hidden)
        np.matmul(hidden, self.outer[0], out=result)
        result += self.outer[1]
        result += values[self.reach : self.reach + count]
        return result


@dataclass(frozen=True)
class Network:
    """Weights of the network; spectra enter `first` with the frames beside them."""

    first: tuple[NDArray[np.float32], NDArray[np.float32]]
    """Matrix (frames * bands, channels) and bias."""
    blocks: tuple[Block, ...]
    last: tuple[NDArray[np.float32], NDArray[np.float32]]
    """Matrix (channels, units + 1) and bias; the last column is the closure of the lips."""

    def scores(self, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n - 2 * reach, units + 1) unnormalised log odds from (n, bands) normalised spectra."""
        width = len(self.first[0]) // spectra.shape[1]
        beside = np.lib.stride_tricks.sliding_window_view(spectra, width, axis=0).transpose(0, 2, 1)
        values = np.maximum(beside.reshape(len(beside), -1) @ self.first[0] + self.first[1], 0)
        for block in self.blocks:
            values = block.apply(values)
        result: NDArray[np.float32] = np.maximum(values, 0) @ self.last[0] + self.last[1]
        return result

    def reach(self, bands: int) -> int:
        """Frames the network sees on either side of the one it judges."""
        return len(self.first[0]) // bands // 2 + sum(block.reach for block in self.blocks)


def recognise(features: Features, speech: NDArray[np.bool_]) -> Sounds:
    """The sounds of a recording; `speech` tells where somebody speaks."""
    return classify(_network(), normalise(features.mel_db, speech))


def classify(network: Network, spectra: NDArray[np.float32]) -> Sounds:
    """The sounds in (n, bands) normalised spectra, whose ends are held."""
    count, bands = spectra.shape
    reach = network.reach(bands)
    held = np.concatenate([np.repeat(spectra[:1], reach, 0), spectra, np.repeat(spectra[-1:], reach, 0)])
    posteriors = np.empty((count, len(UNITS)), np.float32)
    closed = np.empty(count, np.float32)
    for start in range(0, count, _BLOCK_FRAMES):
        rows = slice(start, min(start + _BLOCK_FRAMES, count))
        scores = network.scores(held[rows.start : rows.stop + 2 * reach])
        closed[rows] = 1 / (1 + np.exp(-np.clip(scores[:, -1], -30, 30)))
        units = scores[:, :-1]
        raised = np.exp(units - units.max(axis=1, keepdims=True))
        posteriors[rows] = raised / raised.sum(axis=1, keepdims=True)
    return Sounds(posteriors, closed)


def normalise(mel_db: NDArray[np.float32], speech: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Spectra relative to the mean of the speech, so that microphone and volume do not matter."""
    reference = mel_db[speech] if speech.any() else mel_db
    relative: NDArray[np.float32] = (mel_db - reference.mean(axis=0)) / np.float32(SCALE_DB)
    return np.clip(relative, -4, 3)


def load_network(path: Path) -> Network:
    """Read weights as `training/network.py` writes them."""
    with np.load(path, allow_pickle=False) as archive:
        values = {name: archive[name] for name in archive.files}

    def pair(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return values[f"{name}_matrix"].astype(np.float32), values[f"{name}_bias"].astype(np.float32)

    blocks = tuple(
        Block(
            int(dilation),
            values[f"taps{index}"].astype(np.float32),
            pair(f"inner{index}"),
            pair(f"outer{index}"),
        )
        for index, dilation in enumerate(values["dilations"])
    )
    return Network(pair("first"), blocks, pair("last"))


@lru_cache(maxsize=1)
def _network() -> Network:
    return load_network(WEIGHTS)
