"""A small neural network that tells the sounds of English and Mandarin apart, frame by frame.

A convolutional network over time on the states of `encoder`, run with NumPy alone. Every state gives
two answers, one for each of its analysis frames. `training/` holds everything that made its weights.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech.encoder import pieces
from engines.portrait.speech.units import UNIT_INDEX, UNITS

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
    """Weights of the network; states enter `first` with the ones beside them."""

    first: tuple[NDArray[np.float32], NDArray[np.float32]]
    """Matrix (states * inputs, channels) and bias."""
    blocks: tuple[Block, ...]
    last: tuple[NDArray[np.float32], NDArray[np.float32]]
    """Matrix (channels, 2 * (units + 1)) and bias; the last unit is the closure of the lips."""

    def scores(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """(2 * (n - 2 * reach), units + 1) unnormalised log odds from (n, inputs) states."""
        width = len(self.first[0]) // states.shape[1]
        beside = np.lib.stride_tricks.sliding_window_view(states, width, axis=0).transpose(0, 2, 1)
        values = np.maximum(beside.reshape(len(beside), -1) @ self.first[0] + self.first[1], 0)
        for block in self.blocks:
            values = block.apply(values)
        result: NDArray[np.float32] = np.maximum(values, 0) @ self.last[0] + self.last[1]
        return result.reshape(-1, len(UNITS) + 1)

    def reach(self, inputs: int) -> int:
        """States the network sees on either side of the one it judges."""
        return len(self.first[0]) // inputs // 2 + sum(block.reach for block in self.blocks)


def recognise(pcm: NDArray[np.float32], speech: NDArray[np.bool_], network: Network | None = None) -> Sounds:
    """The sounds of mono 16 kHz samples; `speech` tells in which analysis frames somebody speaks."""
    if not speech.any():
        posteriors = np.zeros((len(speech), len(UNITS)), np.float32)
        posteriors[:, UNIT_INDEX["sil"]] = 1
        return Sounds(posteriors, np.zeros(len(speech), np.float32))
    network = network or _network()
    scores = np.empty((len(speech) + len(speech) % 2, len(UNITS) + 1), np.float32)
    for piece, states in pieces(pcm, speech):
        rows = slice(2 * piece.kept.start, 2 * piece.kept.stop)
        scores[rows] = network.scores(_with_neighbours(states, piece.within, network))
    return _sounds(scores[: len(speech)])


def _with_neighbours(states: NDArray[np.float32], wanted: slice, network: Network) -> NDArray[np.float32]:
    """Some states and those that the network needs beside them; the first and the last are held."""
    reach = network.reach(states.shape[1])
    first, last = wanted.start - reach, wanted.stop + reach
    missing = (max(0, -first), max(0, last - len(states)))
    return np.pad(states[max(0, first) : last], (missing, (0, 0)), mode="edge")


def _sounds(scores: NDArray[np.float32]) -> Sounds:
    units = scores[:, :-1]
    raised = np.exp(units - units.max(axis=1, keepdims=True))
    closed = 1 / (1 + np.exp(-np.clip(scores[:, -1], -30, 30)))
    return Sounds(raised / raised.sum(axis=1, keepdims=True), closed.astype(np.float32))


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
