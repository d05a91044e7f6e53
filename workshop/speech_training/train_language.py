"""Train the language detector on labelled recordings whose names begin with `en_` or `zh_`.

    python -m workshop.speech_training.train_language CORPUS... --weights recogniser.npz \
        --out language.npz
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from engines.portrait.speech import activity, features
from engines.portrait.speech.constants import ANALYSIS_RATE
from engines.portrait.speech.language import statistics
from engines.portrait.speech.recogniser import Network, load_network, recognise
from workshop.speech_training import augment, labels

_PIECE = round(2.5 * ANALYSIS_RATE)
"""Frames judged at once: short recordings are the hard ones."""
_RIDGE = 0.5


def gather(
    folders: Sequence[Path], network: Network, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unit statistics of pieces of all training recordings, and +1 (Mandarin) or -1 (English)."""
    rows, signs = [], []
    paths = sorted(path for folder in folders for path in folder.glob("*.wav") if "held" not in path.name)
    for path in paths:
        pcm, _ = labels.read(path)
        if rng.random() < 0.5:
            pcm, _ = augment.vary(pcm, rng)
        signal = features.extract(pcm)
        speech = activity.detect(signal).speech
        posteriors = recognise(pcm, speech, network).posteriors
        for start in range(0, len(speech), _PIECE):
            piece = slice(start, start + _PIECE)
            if speech[piece].sum() > _PIECE // 2:
                rows.append(statistics(posteriors[piece], speech[piece]))
                signs.append(1.0 if path.name.startswith("zh") else -1.0)
    return np.array(rows, np.float32), np.array(signs, np.float32)


def fit(rows: NDArray[np.float32], signs: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Ridge-regularised logistic regression, both languages counting the same."""
    importance = np.where(signs > 0, 0.5 / (signs > 0).sum(), 0.5 / (signs < 0).sum())

    def loss(parameters: NDArray[np.float64]) -> float:
        margins = signs * (rows @ parameters[:-1] + parameters[-1])
        penalty = _RIDGE / len(parameters) * float((parameters[:-1] ** 2).sum()) / 100
        return float((importance * np.logaddexp(0, -margins)).sum()) + penalty

    best = minimize(loss, np.zeros(rows.shape[1] + 1), method="L-BFGS-B").x
    return best[:-1].astype(np.float32), float(best[-1])


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description="Train the language detector.")
    parser.add_argument("corpus", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows, signs = gather(options.corpus, load_network(options.weights), np.random.default_rng(1))
    weight, bias = fit(rows, signs)
    right = np.mean(np.sign(rows @ weight + bias) == signs)
    print(f"{len(rows)} pieces, {right:.3f} right on the training recordings")  # noqa: T201
    np.savez(options.out, weight=weight, bias=np.float32(bias))


if __name__ == "__main__":
    main()
