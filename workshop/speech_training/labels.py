"""Recordings with known sound timings: a WAV file and a label file beside it.

A label file (`.lab`) has one line per sound: start and end in seconds and a name. Names are units
of the recogniser, or `-` where the sound is unknown.
"""

import itertools
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech.constants import ANALYSIS_RATE, SAMPLE_RATE
from engines.portrait.speech.features import Features
from engines.portrait.speech.units import UNIT_INDEX

UNKNOWN = "-"

SHORT_GAP_S = 0.09
"""A silence before a stop that is shorter than this is its closure."""

_STOPS = frozenset({"p", "t", "k", "s", "sh", "x"})


class Label(NamedTuple):
    """A sound and when it is heard, in seconds."""

    start_s: float
    end_s: float
    name: str


def write(stem: Path, pcm: NDArray[np.float32], labels: Sequence[Label]) -> None:
    """Write `stem.wav` (mono 16 kHz samples in [-1, 1]) and `stem.lab`."""
    samples = np.clip(pcm * 32767, -32768, 32767).astype("<i2")
    with wave.open(str(stem.with_suffix(".wav")), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    lines = [f"{label.start_s:.4f} {label.end_s:.4f} {label.name}\n" for label in labels]
    stem.with_suffix(".lab").write_text("".join(lines), "utf-8")


def read(path: Path) -> tuple[NDArray[np.float32], list[Label]]:
    """Samples and labels of a WAV file that has a label file beside it.

    Raises `ValueError` for a WAV file that is not mono 16-bit 16 kHz, or for a malformed label.
    """
    labels = []
    for line in path.with_suffix(".lab").read_text("utf-8").splitlines():
        start, end, name = line.split()
        labels.append(Label(float(start), float(end), name))
    return read_wav(path.with_suffix(".wav")), labels


def read_wav(path: Path) -> NDArray[np.float32]:
    """Samples in [-1, 1]; raises `ValueError` for a WAV file that is not mono 16-bit 16 kHz."""
    with wave.open(str(path), "rb") as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, SAMPLE_RATE):
            raise ValueError(f"{path} is not mono 16-bit 16 kHz")
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return samples.astype(np.float32) / np.float32(32768)


def join(
    row: Sequence[tuple[NDArray[np.float32], Sequence[Label]]],
) -> tuple[NDArray[np.float32], list[Label]]:
    """Samples and labels of recordings one after the other; silences that meet are one."""
    joined: list[Label] = []
    start_s = 0.0
    for pcm, known in row:
        for label in known:
            moved = Label(label.start_s + start_s, label.end_s + start_s, label.name)
            if joined and joined[-1].name == moved.name == "sil":
                moved = moved._replace(start_s=joined.pop().start_s)
            joined.append(moved)
        start_s += len(pcm) / SAMPLE_RATE
    return np.concatenate([pcm for pcm, _ in row]), joined


def spread(start_s: float, end_s: float, units: Sequence[str]) -> list[Label]:
    """Share a stretch of time evenly between the units of a sound."""
    edges = np.linspace(start_s, end_s, len(units) + 1)
    return [Label(float(a), float(b), unit) for a, b, unit in zip(edges[:-1], edges[1:], units, strict=True)]


def per_frame(known: Sequence[Label], signal: Features, stretch: float = 1.0) -> NDArray[np.int8]:
    """(n,) unit of every analysis frame, -1 where it is not known."""
    result = np.full(len(signal), -1, np.int8)
    for label in with_closures(known):
        rows = slice(
            round(label.start_s * stretch * ANALYSIS_RATE), round(label.end_s * stretch * ANALYSIS_RATE)
        )
        result[rows] = UNIT_INDEX.get(label.name, -1)
    quiet = signal.level_db < np.percentile(signal.level_db, 95) - 38
    result[(result == -1) & quiet] = UNIT_INDEX["sil"]
    return result


def with_closures(known: Sequence[Label]) -> list[Label]:
    """Give the short silence before a stop to the stop: it is its closure, not a pause."""
    result = list(known)
    for index, (first, second) in enumerate(itertools.pairwise(known)):
        if first.name == "sil" and second.name in _STOPS and first.end_s - first.start_s < SHORT_GAP_S:
            result[index] = first._replace(name=second.name)
    return result
