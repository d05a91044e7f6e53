"""Moving label boundaries to where a trained recogniser hears them.

    python -m workshop.speech_training.realign CORPUS --weights recogniser.npz

Some voices know their timings only roughly. The order of the sounds is right, though, so a Viterbi
alignment against the posteriors of a recogniser trained on better-timed voices finds the boundaries.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech import activity, features
from engines.portrait.speech.constants import ANALYSIS_RATE
from engines.portrait.speech.recogniser import Network, load_network, recognise
from engines.portrait.speech.units import UNIT_INDEX
from workshop.speech_training import labels

_REACH = 12
"""Frames a boundary may move."""
_FLOOR = 1e-4
_UNKNOWN_SCORE = -2.0
"""Log probability of a stretch of unknown sound; silence may explain it better."""


def realign(known: list[labels.Label], log_posteriors: NDArray[np.float32]) -> list[labels.Label]:
    """The same sounds with the most probable boundaries within reach of the given ones."""
    count, length = len(log_posteriors), len(known)
    emissions = np.empty((count, length), np.float32)
    for index, label in enumerate(known):
        if label.name in UNIT_INDEX:
            emissions[:, index] = log_posteriors[:, UNIT_INDEX[label.name]]
        else:
            emissions[:, index] = np.maximum(log_posteriors[:, UNIT_INDEX["sil"]], _UNKNOWN_SCORE)
        emissions[: max(0, round(label.start_s * ANALYSIS_RATE) - _REACH), index] = -np.inf
        emissions[round(label.end_s * ANALYSIS_RATE) + _REACH :, index] = -np.inf
    best = np.full(length, -np.inf)
    best[0] = emissions[0, 0]
    came = np.zeros((count, length), bool)
    for frame in range(1, count):
        moved = np.concatenate([[-np.inf], best[:-1]])
        came[frame] = moved > best
        best = np.maximum(best, moved) + emissions[frame]
    if not np.isfinite(best[-1]):
        return known
    owner = np.empty(count, int)
    index = length - 1
    for frame in range(count - 1, -1, -1):
        owner[frame] = index
        index -= int(came[frame, index])
    starts = np.searchsorted(owner, np.arange(length)) / ANALYSIS_RATE
    ends = np.searchsorted(owner, np.arange(length), side="right") / ANALYSIS_RATE
    return [
        labels.Label(float(start), float(end), label.name)
        for start, end, label in zip(starts, ends, known, strict=True)
    ]


def realign_file(path: Path, network: Network) -> None:
    """Rewrite the labels of one recording; always from the first labels, kept as `.lab0`."""
    original = path.with_suffix(".lab0")
    if not original.exists():
        original.write_bytes(path.with_suffix(".lab").read_bytes())
    path.with_suffix(".lab").write_bytes(original.read_bytes())
    pcm, known = labels.read(path)
    signal = features.extract(pcm)
    posteriors = recognise(pcm, activity.detect(signal).speech, network).posteriors
    labels.write(path, pcm, realign(known, np.log(posteriors + _FLOOR)))


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description="Move label boundaries to where a recogniser hears them.")
    parser.add_argument("corpus", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, required=True)
    options = parser.parse_args()
    network = load_network(options.weights)
    for folder in options.corpus:
        for path in sorted(folder.glob("*.wav")):
            realign_file(path, network)


if __name__ == "__main__":
    main()
