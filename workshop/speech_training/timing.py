"""Timings of recordings whose sounds are known, by Viterbi alignment with a trained recogniser.

Between words and at both ends there may be silence. Unlike `realign`, no timings are needed to begin with.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from engines.portrait.speech import activity, features
from engines.portrait.speech.constants import ANALYSIS_RATE
from engines.portrait.speech.recogniser import Network, recognise
from engines.portrait.speech.smoothing import runs
from engines.portrait.speech.units import UNIT_INDEX, UNITS
from workshop.speech_training.labels import UNKNOWN, Label

_SHORTEST = 3
"""Frames that a sound lasts at least."""
_FLOOR = 1e-3
"""Probability below which it does not matter how improbable a sound is: those of other languages differ."""
_UNKNOWN_SCORE = -2.0
"""Log probability of a frame of unknown sound."""
_SURELY_SILENT = 0.4
"""Probability of silence below which a silence that is as loud as speech is doubted."""
_DOUBTED = 10
"""Frames that a silence lasts at least to be doubted: closures of stops are shorter."""


class Timed(NamedTuple):
    """Labels and how well they fit."""

    labels: list[Label]
    fit: float
    """Mean log probability of the sounds, silence left out."""


class _Chain(NamedTuple):
    """States in the order in which they are passed; a sound has as many as frames at least."""

    units: NDArray[np.int64]
    """(states,) unit, or the number of units where it is unknown."""
    sounds: NDArray[np.int64]
    """(states,) number of the sound."""
    stays: NDArray[np.bool_]
    """(states,) whether the state may last."""
    skips: NDArray[np.bool_]
    """(states,) whether the state before, a silence, may be left out."""


def align(pcm: NDArray[np.float32], words: Sequence[Sequence[str]], network: Network) -> Timed:
    """Labels of mono 16 kHz samples in which the units of these words are heard.

    Raises `ValueError` where they are too many for the recording.
    """
    signal = features.extract(pcm)
    speech = activity.detect(signal).speech
    sounds = recognise(pcm, speech, network)
    names, chain = _chain(words)
    # A last column for what is unknown.
    scores = np.log(np.maximum(sounds.posteriors, _FLOOR))
    scores = np.column_stack([scores, np.full(len(scores), _UNKNOWN_SCORE, np.float32)])
    emissions = scores[:, chain.units]
    path = _best_path(emissions, chain)
    owner, spoken = chain.sounds[path], chain.units[path] != UNIT_INDEX["sil"]
    fit = float(emissions[np.arange(len(path)), path][spoken].mean())
    heard = speech & (sounds.posteriors[:, UNIT_INDEX["sil"]] < _SURELY_SILENT)
    known: list[Label] = []
    for number in range(len(names)):
        for start, end in runs(owner == number):
            known += (
                _doubted(start, heard[start:end])
                if names[number] == "sil"
                else [_label(start, end, names[number])]
            )
    return Timed(known, fit)


def _label(start: int, end: int, name: str) -> Label:
    return Label(start / ANALYSIS_RATE, end / ANALYSIS_RATE, name)


def _doubted(start: int, heard: NDArray[np.bool_]) -> list[Label]:
    """Labels of a silence in which something may be heard that is not in the words."""
    if len(heard) < _DOUBTED or not heard.any():
        return [_label(start, start + len(heard), "sil")]
    lasting = median_filter(heard, 9, mode="nearest")
    edges = [0, *(np.flatnonzero(np.diff(lasting)) + 1).tolist(), len(heard)]
    return [
        _label(start + first, start + last, UNKNOWN if lasting[first] else "sil")
        for first, last in itertools.pairwise(edges)
    ]


def _chain(words: Sequence[Sequence[str]]) -> tuple[list[str], _Chain]:
    names = ["sil"]
    skippable = [False]
    for word in words:
        names += [*word, "sil"]
        # Two silences in a row would skip the sound between them; every word has one sound or more.
        skippable += [True, *[False] * len(word)]
    units, sounds, stays, skips = [], [], [], []
    for number, (name, skip) in enumerate(zip(names, skippable, strict=True)):
        frames = 1 if name == "sil" else _SHORTEST
        units += [UNIT_INDEX.get(name, len(UNITS))] * frames
        sounds += [number] * frames
        stays += [False] * (frames - 1) + [True]
        skips += [skip] + [False] * (frames - 1)
    return names, _Chain(np.array(units), np.array(sounds), np.array(stays), np.array(skips))


def _best_path(emissions: NDArray[np.float32], chain: _Chain) -> NDArray[np.int64]:
    """(frames,) state in every frame."""
    count, states = emissions.shape
    best = np.full(states, -np.inf)
    best[: 2 if chain.skips[1] else 1] = emissions[0, : 2 if chain.skips[1] else 1]
    came = np.zeros((count, states), np.int8)
    for frame in range(1, count):
        stayed = np.where(chain.stays, best, -np.inf)
        moved = np.concatenate([[-np.inf], best[:-1]])
        skipped = np.where(chain.skips, np.concatenate([[-np.inf, -np.inf], best[:-2]]), -np.inf)
        options = np.stack([stayed, moved, skipped])
        came[frame] = options.argmax(axis=0)
        best = options.max(axis=0) + emissions[frame]
    # The last silence may be left out, too.
    state = states - 1 if best[-1] >= best[-2] else states - 2
    if not np.isfinite(best[state]):
        raise ValueError("more sounds than the recording can hold")
    path = np.empty(count, np.int64)
    for frame in range(count - 1, -1, -1):
        path[frame] = state
        state -= int(came[frame, state])
    return path
