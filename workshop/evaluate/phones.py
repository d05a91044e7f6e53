"""Our track against recordings whose sounds and their timings are known."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech import VisemeTrack, activity, features, recogniser, track_of
from engines.portrait.speech.smoothing import runs
from engines.portrait.speech.units import BILABIALS, UNIT_INDEX, UNITS
from workshop.evaluate import curves
from workshop.speech_training import labels

FPS = 25
TOLERANCE_S = 0.04
"""A closure may miss the sound by one video frame."""
CLOSED = 0.5
"""Closure from which lips count as closed."""
_LAG_REACH = 6

LIP_CLASSES = {
    "closed": ("m", "p"),
    "tucked": ("f",),
    "rounded": ("w", "u", "v", "o", "r", "sh", "er"),
    "spread": ("i", "ih", "e", "ae", "y", "x", "s", "ii"),
    "open": ("a", "uh"),
    "free": ("l", "t", "n", "th", "k", "ng", "h"),
    "silent": ("sil",),
}


@dataclass
class Tally:
    """Sums over the recordings of one group."""

    bilabials: int = 0
    hit: int = 0
    closures: int = 0
    justified: int = 0
    chance: float = 0.0
    frames: int = 0
    right_class: int = 0
    languages: list[bool] = field(default_factory=list)
    ours: list[NDArray[np.float32]] = field(default_factory=list)
    ideal: list[NDArray[np.float32]] = field(default_factory=list)


def measure_folders(folders: Sequence[Path]) -> list[dict[str, object]]:
    """One row per folder and language; a recording's language is its name up to the first `_`.

    Recordings with "train" in their name are left out. Raises `ValueError` where a folder holds no
    labelled recording.
    """
    rows = []
    for folder in folders:
        groups: dict[str, Tally] = defaultdict(Tally)
        for path in sorted(folder.glob("*.lab")):
            if "train" not in path.stem:
                language = path.stem.split("_")[0]
                _add(groups[language], path, language)
        if not groups:
            raise ValueError(f"{folder} holds no labelled recording (NAME.wav with NAME.lab)")
        rows += [_row(f"{folder.name} {language}", tally) for language, tally in sorted(groups.items())]
    return rows


def _add(tally: Tally, path: Path, language: str) -> None:
    pcm, known = labels.read(path)
    signal = features.extract(pcm)
    heard = activity.detect(signal)
    sounds = recogniser.recognise(pcm, heard.speech)
    ours = track_of(sounds, signal, heard, len(pcm), FPS)
    truth = labels.per_frame(known, signal)
    ideal = track_of(_certain(truth), signal, heard, len(pcm), FPS)
    tally.ours.append(ours.shapes)
    tally.ideal.append(ideal.shapes)
    tally.languages.append(ours.language == language)
    spans = bilabial_spans(known)
    _count_closures(tally, ours, spans)
    classes = _class_of_unit()
    heard_class, true_class = classes[sounds.posteriors.argmax(axis=1)], classes[truth]
    voiced = (truth >= 0) & (true_class != list(LIP_CLASSES).index("silent"))
    tally.frames += int(voiced.sum())
    tally.right_class += int((heard_class == true_class)[voiced].sum())


def bilabial_spans(known: Sequence[labels.Label]) -> list[tuple[float, float]]:
    """Seconds over which the lips should be closed; the short rest before a stop is its closure.

    Bilabials without a sound between them (as in "number") are one closure: the lips stay together.
    """
    spans: list[tuple[float, float]] = []
    for index, label in enumerate(known):
        if label.name in BILABIALS:
            before = known[index - 1] if index else label
            resting = before.name == "sil" and before.end_s - before.start_s < labels.SHORT_GAP_S
            start_s = before.start_s if resting else label.start_s
            if spans and start_s <= spans[-1][1]:
                start_s, _ = spans.pop()
            spans.append((start_s, label.end_s))
    return spans


def _count_closures(tally: Tally, track: VisemeTrack, spans: Sequence[tuple[float, float]]) -> None:
    closed = track.shapes[:, 5] >= CLOSED
    near = np.zeros(len(track), bool)
    half = 0.5 / FPS
    for start, end in spans:
        first, last = _frames(start - TOLERANCE_S + half / 2, end + TOLERANCE_S - half / 2, len(track))
        near[first:last] = True
        tally.hit += bool(closed[first:last].any())
    tally.bilabials += len(spans)
    for first, last in runs(closed):
        tally.closures += 1
        tally.justified += bool(near[first:last].any())
        tally.chance += float(near.mean())


def _frames(start_s: float, end_s: float, count: int) -> tuple[int, int]:
    """Frames whose moments lie within a stretch of time, at least the nearest one."""
    first = max(0, min(count - 1, int(np.ceil(start_s * FPS))))
    return first, max(first + 1, min(count, int(np.floor(end_s * FPS)) + 1))


def _certain(truth: NDArray[np.int8]) -> recogniser.Sounds:
    """What a recogniser that is always right would say."""
    sure = np.zeros((len(truth), len(UNITS)), np.float32)
    sure[np.arange(len(truth)), np.where(truth >= 0, truth, UNIT_INDEX["sil"])] = 1
    closed = np.isin(truth, [UNIT_INDEX[name] for name in BILABIALS])
    return recogniser.Sounds(sure, closed.astype(np.float32))


def _class_of_unit() -> NDArray[np.int64]:
    owner = {unit: index for index, units in enumerate(LIP_CLASSES.values()) for unit in units}
    return np.array([owner[unit] for unit in UNITS])


def _row(name: str, tally: Tally) -> dict[str, object]:
    ours, ideal = np.concatenate(tally.ours), np.concatenate(tally.ideal)
    aperture = [shapes[:, 0] * (1 - shapes[:, 5]) for shapes in (ours, ideal)]
    shift, _ = curves.lag(aperture[0], aperture[1], _LAG_REACH)
    return {
        "material": name,
        "minutes": len(ours) / FPS / 60,
        "b/p/m": tally.bilabials,
        "recall": tally.hit / tally.bilabials if tally.bilabials else None,
        "precision": tally.justified / tally.closures if tally.closures else None,
        "chance": tally.chance / tally.closures if tally.closures else None,
        "lip class": tally.right_class / max(1, tally.frames),
        "r opening": curves.correlation(*aperture),
        "r width": curves.correlation(ours[:, 1], ideal[:, 1]),
        "r pucker": curves.correlation(ours[:, 2], ideal[:, 2]),
        "lag (frames)": shift,
        "language": float(np.mean(tally.languages)),
    }
