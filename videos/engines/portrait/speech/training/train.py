"""Train the phone recogniser on folders of labelled recordings.

    python -m videos.engines.portrait.speech.training.train CORPUS... --out recogniser.npz

Uses every recording whose name does not contain "held"; those are for `evaluate phones`. Needs the
package `torch`. A folder may be named more than once, to count more.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .. import activity, features
from ..constants import ANALYSIS_RATE, MEL_BANDS
from ..recogniser import normalise
from ..units import BILABIALS, UNIT_INDEX, UNITS
from . import augment, labels
from .network import REACH, TrainedNetwork, resume, save

_PIECE = 512
"""Frames judged in one example; the network sees REACH more on either side."""
_BATCH = 8
_LEARNING_RATE = 1.5e-3
_WEIGHT_DECAY = 1e-2
_UNKNOWN = -1
_CLOSURE_SHARE = 2.0
"""Weight of the closure's loss against that of the units."""
_CLOSURE_FOCUS = 1.5
"""Exponent of the focal loss (T.-Y. Lin et al., 2017): frames that are clear already count less."""
_CLOSED_WEIGHT = 3.0
_WARP = 0.10
"""Largest stretch of the mel axis: vocal tract length perturbation (N. Jaitly and G. Hinton, 2013)."""


def load(
    folders: Sequence[Path], variants: int, rng: np.random.Generator
) -> tuple[NDArray[np.float16], NDArray[np.int8]]:
    """Normalised spectra and labels of all training recordings, plain and in variants, end to end.

    Recordings are set apart by unlabelled copies of their first and last frames.
    """
    spectra, targets = [], []
    paths = sorted(path for folder in folders for path in folder.glob("*.wav") if "held" not in path.name)
    for path in paths:
        pcm, known = labels.read(path)
        clean = features.extract(pcm)
        for variant in range(variants + 1):
            samples, stretch = (pcm, 1.0) if variant == 0 else augment.vary(pcm, rng)
            signal = clean if variant == 0 else features.extract(samples)
            wanted = labels.per_frame(known, signal, stretch)
            rows = normalise(signal.mel_db, activity.detect(signal).speech)
            spectra.append(np.pad(rows, ((REACH, REACH), (0, 0)), mode="edge").astype(np.float16))
            targets.append(np.pad(wanted, REACH, constant_values=_UNKNOWN))
    return np.concatenate(spectra), np.concatenate(targets)


def train(
    spectra: NDArray[np.float16],
    targets: NDArray[np.int8],
    epochs: int,
    rng: np.random.Generator,
    minutes: float,
    start: Path | None = None,
) -> TrainedNetwork:
    """Minimise the losses with AdamW (I. Loshchilov and F. Hutter, 2019) and a decaying step."""
    network = resume(start) if start else TrainedNetwork()
    if start:
        for module in network.modules():
            module.train(not isinstance(module, torch.nn.BatchNorm1d))
    weight = torch.from_numpy(_importance(targets))
    total = epochs * ((len(targets) - 2 * REACH) // _PIECE // _BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    began, progress, losses = time.monotonic(), 0.0, []
    for step, (inputs, wanted) in enumerate(_batches(spectra, targets, epochs, rng)):
        progress = max(step / total, (time.monotonic() - began) / 60 / minutes)
        if progress >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * min(1, step / 200) * 0.5 * (1 + np.cos(np.pi * progress)) + 1e-6
        loss = _loss(network(inputs), wanted, weight)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        losses.append(loss.item())
        if step % 200 == 199:
            print(f"step {step + 1}, {progress:.0%}: loss {np.mean(losses[-200:]):.4f}", flush=True)  # noqa: T201
    return network.eval()


def _batches(
    spectra: NDArray[np.float16], targets: NDArray[np.int8], epochs: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """(batch, bands, n + 2 * REACH) spectra of a random size of speaker, and (batch, n) units."""
    around, inside = np.arange(_PIECE + 2 * REACH), np.arange(_PIECE) + REACH
    for _ in range(epochs):
        starts = np.arange(rng.integers(_PIECE), len(targets) - len(around), _PIECE)
        rng.shuffle(starts)
        for first in range(0, len(starts) - _BATCH + 1, _BATCH):
            chosen = starts[first : first + _BATCH, None]
            inputs = spectra[chosen + around].astype(np.float32) @ _warp(rng)
            wanted = targets[chosen + inside].astype(np.int64)
            yield torch.from_numpy(np.ascontiguousarray(inputs.transpose(0, 2, 1))), torch.from_numpy(wanted)


def _warp(rng: np.random.Generator) -> NDArray[np.float32]:
    """(bands, bands) interpolation that stretches the mel axis, as another vocal tract would."""
    source = np.clip(np.arange(MEL_BANDS) * rng.uniform(1 - _WARP, 1 + _WARP), 0, MEL_BANDS - 1)
    low = np.minimum(source.astype(int), MEL_BANDS - 2)
    share = source - low
    matrix = np.zeros((MEL_BANDS, MEL_BANDS), np.float32)
    matrix[low, np.arange(MEL_BANDS)] = 1 - share
    matrix[low + 1, np.arange(MEL_BANDS)] = share
    return matrix


def _importance(targets: NDArray[np.int8]) -> NDArray[np.float32]:
    """(units,) weight of a unit's frames: rare units count more, though not as much as they are rarer."""
    counts = np.bincount(targets[targets >= 0], minlength=len(UNITS)).astype(np.float32)
    importance: NDArray[np.float32] = (counts.mean() / np.maximum(counts, 1)) ** np.float32(0.4)
    return importance


def _loss(scores: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Cross entropy of the units plus the focal loss of the closure, whose edges are left out."""
    units = functional.cross_entropy(scores[:, :-1], wanted, weight, ignore_index=_UNKNOWN)
    closed = sum((wanted == UNIT_INDEX[name]).float() for name in BILABIALS)
    if not isinstance(closed, Tensor):
        raise TypeError("no bilabials")
    steady = torch.ones_like(closed)
    edge = (closed[:, 1:] != closed[:, :-1]).float()
    steady[:, 1:] -= edge
    steady[:, :-1] *= 1 - edge
    counted = steady.clamp(min=0) * (wanted != _UNKNOWN)
    odds = scores[:, -1]
    wrong = torch.sigmoid(torch.where(closed > 0, -odds, odds))
    entropy = functional.binary_cross_entropy_with_logits(odds, closed, reduction="none")
    emphasis = counted * (1 + (_CLOSED_WEIGHT - 1) * closed)
    closure = (emphasis * wrong**_CLOSURE_FOCUS * entropy).sum() / emphasis.sum().clamp(min=1)
    return units + _CLOSURE_SHARE * closure


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description="Train the phone recogniser.")
    parser.add_argument("corpus", type=Path, nargs="+", help="folder of WAV files with label files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=60.0, help="stop training after this time")
    parser.add_argument("--variants", type=int, default=2, help="augmented copies of every recording")
    parser.add_argument("--start", type=Path, help="weights to go on from instead of chance")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    torch.manual_seed(options.seed)
    spectra, targets = load(options.corpus, options.variants, rng)
    known = int((targets >= 0).sum())
    print(f"{known} labelled frames, {known / ANALYSIS_RATE / 60:.0f} minutes")  # noqa: T201
    save(train(spectra, targets, options.epochs, rng, options.minutes, options.start), options.out)


if __name__ == "__main__":
    main()
