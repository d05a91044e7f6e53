"""Grow a trained recogniser: more channels, more blocks, and the same answers until it is trained on.

    python -m videos.engines.portrait.speech.training.grow OLD --channels 256 --block 4:16 --out NEW

What is new hears everything and says nothing: its own filters and matrices are random, and the matrices
that would pass on what it hears are zero, so that only training gives it a voice (T. Chen et al., "Net2Net:
accelerating learning via knowledge transfer", ICLR 2016). `--block AT:DILATION` puts a block in before
number AT.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .blend import Weights

_NOISE = 0.1
"""Spread of new filters about the ones that they are copies of, as a share of those filters' own spread."""
_QUIET = 0.5
"""Spread of the matrices of a new block, as a share of the usual one (K. He et al., 2015)."""


def widen(weights: Weights, channels: int, rng: np.random.Generator) -> Weights:
    """The same network with more channels."""
    known = len(weights["last_matrix"])
    more = channels - known
    grown = dict(weights)
    first = weights["first_matrix"]
    grown["first_matrix"] = np.hstack([first, _like(first, (len(first), more), rng)])
    grown["first_bias"] = _longer(weights["first_bias"], more)
    for index in range(len(weights["dilations"])):
        taps = weights[f"taps{index}"]
        copies = taps[:, rng.integers(0, known, more)].astype(np.float32)
        grown[f"taps{index}"] = np.hstack([taps, copies + _NOISE * _like(taps, copies.shape, rng)])
        for name in ("inner", "outer"):
            matrix = np.zeros((channels, channels), np.float32)
            matrix[:known, :known] = weights[f"{name}{index}_matrix"]
            matrix[:, known:] = _like(weights[f"{name}{index}_matrix"], (channels, more), rng)
            grown[f"{name}{index}_matrix"] = matrix
            grown[f"{name}{index}_bias"] = _longer(weights[f"{name}{index}_bias"], more)
    last = weights["last_matrix"]
    grown["last_matrix"] = np.vstack([last, np.zeros((more, last.shape[1]), np.float32)])
    return grown


def insert(weights: Weights, at: int, dilation: int, rng: np.random.Generator) -> Weights:
    """The same network with one more block before number `at`."""
    channels, count = len(weights["last_matrix"]), len(weights["dilations"])
    grown = {name: weights[name] for name in ("first_matrix", "first_bias", "last_matrix", "last_bias")}
    for old in range(count):
        for part in ("taps{}", "inner{}_matrix", "inner{}_bias", "outer{}_matrix", "outer{}_bias"):
            grown[part.format(old + (old >= at))] = weights[part.format(old)]
    length = len(weights["taps0"])
    taps = rng.normal(0, _NOISE, (length, channels))
    taps[length // 2] += 1
    grown[f"taps{at}"] = taps.astype(np.float32)
    spread = _QUIET * np.sqrt(2 / channels)
    grown[f"inner{at}_matrix"] = rng.normal(0, spread, (channels, channels)).astype(np.float32)
    grown[f"inner{at}_bias"] = np.zeros(channels, np.float32)
    grown[f"outer{at}_matrix"] = np.zeros((channels, channels), np.float32)
    grown[f"outer{at}_bias"] = np.zeros(channels, np.float32)
    grown["dilations"] = np.insert(weights["dilations"], at, dilation)
    return grown


def _like(
    array: NDArray[np.generic], shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Random numbers that spread as those of an array do."""
    return rng.normal(0, float(np.std(array.astype(np.float32))), shape).astype(np.float32)


def _longer(bias: NDArray[np.generic], more: int) -> NDArray[np.float32]:
    return np.concatenate([bias.astype(np.float32), np.zeros(more, np.float32)])


def _block(text: str) -> tuple[int, int]:
    at, _, dilation = text.partition(":")
    return int(at), int(dilation)


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description="Grow a trained recogniser.")
    parser.add_argument("old", type=Path)
    parser.add_argument("--channels", type=int, required=True)
    parser.add_argument("--block", type=_block, action="append", default=[])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    weights = widen(dict(np.load(options.old)), options.channels, rng)
    for at, dilation in options.block:
        weights = insert(weights, at, dilation, rng)
    halves = {name: a if name == "dilations" else a.astype(np.float16) for name, a in weights.items()}
    np.savez_compressed(options.out, **halves)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
