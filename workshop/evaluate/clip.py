"""Filmed and rendered mouths against the track of their sound."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech import VisemeTrack, analyse
from workshop.evaluate import curves
from workshop.evaluate.mouth import FilmedMouth, film

_REACH_S = 0.32
"""Lags are looked for within this many seconds."""
_PRESSED = 0.8
"""Closure from which the lips of a rendering must touch."""
_TOUCHING_IOD = 0.02
"""Gap below which inner lips count as closed: the mesh's own noise is about half of it."""

_AT_REST = 0.02
"""Opening of the track below which silence is rest: in short pauses the mouth is held open."""


def measure_clip(path: Path) -> dict[str, object]:
    """Our track against the real mouth of a filmed speaker: one row."""
    mouth, track = _filmed(path)
    real, ours = mouth.opening, mouth.sampled(track.aperture, track.fps)
    reach = round(_REACH_S * mouth.fps)
    shift, best = curves.lag(ours, real, reach)
    _, loudness = curves.lag(mouth.sampled(track.energy, track.fps), real, reach)
    speaking = ~_silent(mouth, track)
    return {
        "clip": path.name,
        "seconds": len(real) / mouth.fps,
        "mouth (px)": round(mouth.pixels),
        "lost frames": mouth.lost,
        "language": track.language,
        "r": curves.correlation(ours, real),
        "best r": best,
        "lag (frames)": shift,
        "r width": curves.correlation(mouth.sampled(track.shapes[:, 1], track.fps), mouth.width),
        "r of loudness alone": loudness,
        "spread ours/real": _spread(ours[speaking]) / max(1e-6, _spread(real[speaking] / _scale(real))),
    }


def measure_rendering(path: Path) -> dict[str, object]:
    """What a rendered video shows of the track it was made from: one row, lengths in IOD."""
    mouth, track = _filmed(path)
    shown, opening = mouth.opening, mouth.sampled(track.aperture, track.fps)
    shift, best = curves.lag(shown, opening, round(_REACH_S * mouth.fps))
    closure, silence = mouth.sampled(track.shapes[:, 5], track.fps), _silent(mouth, track)
    pressed = (closure >= _PRESSED) & ~silence
    resting = _inside(silence & (opening < _AT_REST), round(0.2 * mouth.fps))
    rest = float(np.percentile(shown, 3))
    return {
        "video": path.name,
        "seconds": len(shown) / mouth.fps,
        "lost frames": mouth.lost,
        "r": best,
        "lag (frames)": shift,
        "closures that touch": _mean(shown[pressed] - rest < _TOUCHING_IOD),
        "gap at closures": _mean(shown[pressed]),
        "gap in speech": _mean(shown[~silence & (closure < 0.2)]),
        "gap in silence": _mean(shown[resting]),
        "motion in silence": _mean(np.abs(np.diff(shown))[resting[1:] & resting[:-1]]),
    }


def _filmed(path: Path) -> tuple[FilmedMouth, VisemeTrack]:
    """The mouth, and the track of its sound at about the video's frame rate."""
    mouth = film(path)
    track = analyse(mouth.pcm, max(1, round(mouth.fps)))
    if min(len(mouth.opening), len(track)) < 2:
        raise ValueError(f"{path} is too short to measure")
    return mouth, track


def _silent(mouth: FilmedMouth, track: VisemeTrack) -> NDArray[np.bool_]:
    """(frames,) of the video in which nobody speaks."""
    return mouth.sampled(track.silence.astype(np.float32), track.fps) > 0.5


def _inside(flags: NDArray[np.bool_], margin: int) -> NDArray[np.bool_]:
    """The frames whose neighbours on both sides are True, too: the mouth has had time to settle."""
    padded = np.pad(flags, margin, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * margin + 1)
    return np.asarray(windows.all(axis=1))


def _spread(values: NDArray[np.float32]) -> float:
    return float(values.std()) if len(values) else 0.0


def _scale(real: NDArray[np.float32]) -> float:
    """The widest opening of the clip, leaving out what the mesh mistakes for one."""
    return max(1e-6, float(np.percentile(real, 99)))


def _mean(values: NDArray[np.float32] | NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None
