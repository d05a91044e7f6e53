"""Train the phone recogniser on folders of labelled recordings.

    python -m videos.engines.portrait.speech.training.train CORPUS... --out recogniser.npz

Uses every recording whose name does not contain "held"; those are for `evaluate phones`.
"""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import activity, features
from ..constants import ANALYSIS_RATE
from ..recogniser import CONTEXT, Network, normalise
from ..units import UNITS
from . import augment, labels

_HIDDEN = (256, 128)
_BATCH = 1024
_LEARNING_RATE = 2e-3
_DROPOUT = 0.1


def load(
    folders: Sequence[Path], variants: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Normalised spectra and labels of all training recordings, plain and in variants.

    Recordings are set apart by unlabelled frames, so that no context reaches into a neighbour unnoticed.
    """
    spectra, targets = [], []
    paths = sorted(path for folder in folders for path in folder.glob("*.wav") if "held" not in path.name)
    for path in paths:
        pcm, known = labels.read(path)
        for variant in range(variants + 1):
            samples, stretch = (pcm, 1.0) if variant == 0 else augment.vary(pcm, rng)
            signal = features.extract(samples)
            clean = features.extract(pcm) if variant == 0 else None
            wanted = labels.per_frame(known, clean or signal, stretch)
            speech = activity.detect(signal).speech
            spectra.append(normalise(signal.mel_db, speech).astype(np.float16))
            targets.append(wanted)
    return np.concatenate(spectra).astype(np.float32), np.concatenate(targets)


def train(
    spectra: NDArray[np.float32], targets: NDArray[np.int8], epochs: int, rng: np.random.Generator
) -> Network:
    """Minimise the cross entropy with Adam (Kingma and Ba, 2015) and a decaying step."""
    known = np.flatnonzero(targets >= 0)
    known = known[(known > -CONTEXT[0]) & (known < len(targets) - CONTEXT[-1])]
    counts = np.bincount(targets[known], minlength=len(UNITS)).astype(np.float32)
    weight = (counts.mean() / np.maximum(counts, 1)) ** 0.4
    sizes = (len(CONTEXT) * spectra.shape[1], *_HIDDEN, len(UNITS))
    parameters: list[NDArray[np.float32]] = []
    for inputs, outputs in itertools.pairwise(sizes):
        parameters.append(rng.normal(0, np.sqrt(2 / inputs), (inputs, outputs)).astype(np.float32))
        parameters.append(np.zeros(outputs, np.float32))
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    offsets = np.array(CONTEXT)
    step, total = 0, epochs * (len(known) // _BATCH)
    for epoch in range(epochs):
        order = rng.permutation(known)
        losses = []
        for start in range(0, len(order) - _BATCH + 1, _BATCH):
            rows = order[start : start + _BATCH]
            inputs = spectra[rows[:, None] + offsets].reshape(_BATCH, -1)
            loss, gradients = _gradients(parameters, inputs, targets[rows], weight, rng)
            losses.append(loss)
            step += 1
            rate = _LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * step / total)) + 1e-5
            for index, gradient in enumerate(gradients):
                first[index] += 0.1 * (gradient - first[index])
                second[index] += 0.001 * (gradient**2 - second[index])
                correction = np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
                parameters[index] -= rate * correction * first[index] / (np.sqrt(second[index]) + 1e-8)
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)  # noqa: T201
    return Network(tuple(zip(parameters[::2], parameters[1::2], strict=True)))


def _gradients(
    parameters: list[NDArray[np.float32]],
    inputs: NDArray[np.float32],
    wanted: NDArray[np.int8],
    weight: NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[float, list[NDArray[np.float32]]]:
    """Loss of a batch and its derivative by every parameter."""
    activations = [inputs]
    depth = len(parameters) // 2
    for layer in range(depth - 1):
        hidden = np.maximum(activations[-1] @ parameters[2 * layer] + parameters[2 * layer + 1], 0)
        kept = (rng.random(hidden.shape, dtype=np.float32) > _DROPOUT) / np.float32(1 - _DROPOUT)
        activations.append(hidden * kept)
    scores = activations[-1] @ parameters[-2] + parameters[-1]
    scores -= scores.max(axis=1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    rows, importance = np.arange(len(wanted)), weight[wanted] / len(wanted)
    delta = np.exp(logs)
    delta[rows, wanted] -= 1
    delta *= importance[:, None]
    gradients: list[NDArray[np.float32]] = []
    for layer in reversed(range(depth)):
        gradients[:0] = [activations[layer].T @ delta, delta.sum(axis=0)]
        if layer:
            delta = (delta @ parameters[2 * layer].T) * (activations[layer] > 0) / np.float32(1 - _DROPOUT)
    return float(-(logs[rows, wanted] * importance).sum()), gradients


def save(network: Network, path: Path) -> None:
    """Write the weights in half precision."""
    arrays = {}
    for index, (matrix, bias) in enumerate(network.layers):
        arrays[f"matrix{index}"] = matrix.astype(np.float16)
        arrays[f"bias{index}"] = bias.astype(np.float16)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description="Train the phone recogniser.")
    parser.add_argument("corpus", type=Path, nargs="+", help="folder of WAV files with label files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--variants", type=int, default=3, help="augmented copies of every recording")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    spectra, targets = load(options.corpus, options.variants, rng)
    known = int((targets >= 0).sum())
    print(f"{known} labelled frames, {known / ANALYSIS_RATE / 60:.0f} minutes")  # noqa: T201
    save(train(spectra, targets, options.epochs, rng), options.out)


if __name__ == "__main__":
    main()
