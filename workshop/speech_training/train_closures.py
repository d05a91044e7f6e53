"""Train the judge of lip closures on recordings that the recogniser was not trained on.

    python -m workshop.speech_training.train_closures CORPUS... --weights recogniser.npz \
        --out closures.npz

Uses the recordings whose names contain "held": on those it was trained on, the recogniser is surer
than it will ever be again. They are then no fair test for closures any more.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from engines.portrait.speech import activity, closures, features
from engines.portrait.speech.constants import ANALYSIS_RATE
from engines.portrait.speech.recogniser import Network, load_network, recognise
from engines.portrait.speech.units import BILABIALS
from workshop.speech_training import augment, labels

_NEAR_S = 0.03
"""A candidate this close to a bilabial is one."""
_RIDGE = 30.0
"""Measured: with 10 to 30 each of four groups of voices is judged best by what the three others taught."""


def gather(
    folders: Sequence[Path], network: Network, variants: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(candidates, evidence) of all held-out recordings, plain and in variants, and which are closures."""
    rows, right = [], []
    for path in sorted(path for folder in folders for path in folder.glob("*.wav") if "held" in path.name):
        pcm, known = labels.read(path)
        for variant in range(variants + 1):
            samples, stretch = (pcm, 1.0) if variant == 0 else augment.vary(pcm, rng)
            signal = features.extract(samples)
            sounds = recognise(samples, activity.detect(signal).speech, network)
            for candidate in closures.candidates(sounds, signal):
                start = candidate.start / ANALYSIS_RATE / stretch
                end = candidate.end / ANALYSIS_RATE / stretch
                rows.append(candidate.evidence)
                right.append(_closed_between(known, start - _NEAR_S, end + _NEAR_S))
    return np.array(rows, np.float32), np.array(right, bool)


def _closed_between(known: Sequence[labels.Label], start_s: float, end_s: float) -> bool:
    return any(
        label.name in BILABIALS and label.start_s < end_s and label.end_s > start_s
        for label in labels.with_closures(known)
    )


def fit(rows: NDArray[np.float32], right: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
    """Ridge-regularised logistic regression on standardised evidence, weights for the plain one."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    standard, signs = (rows - mean) / spread, np.where(right, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> float:
        margins = signs * (standard @ parameters[:-1] + parameters[-1])
        return float(np.logaddexp(0, -margins).sum() + _RIDGE * (parameters[:-1] ** 2).sum())

    best = minimize(loss, np.zeros(rows.shape[1] + 1), method="L-BFGS-B").x
    weight = best[:-1] / spread
    return weight.astype(np.float32), float(best[-1] - mean @ weight)


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description="Train the judge of lip closures.")
    parser.add_argument("corpus", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variants", type=int, default=2, help="augmented copies of every recording")
    options = parser.parse_args()
    network = load_network(options.weights)
    rows, right = gather(options.corpus, network, options.variants, np.random.default_rng(1))
    weight, bias = fit(rows, right)
    print(f"{len(rows)} candidates, {right.mean():.2f} of them closures")  # noqa: T201
    np.savez(options.out, weight=weight, bias=np.float32(bias))


if __name__ == "__main__":
    main()
