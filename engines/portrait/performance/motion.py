"""The performance over time: what mouth, eyes and head do in every frame.

Everything follows from the viseme track, the performance and a seed; the same three give the same frames.
Amplitudes are in IOD and radians and were tuned by eye; sources for rates: Bentivoglio et al., "Analysis
of blink rate patterns in normal subjects" (1997), about 26 blinks a minute in conversation.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from engines.portrait.head.warp import HEAD_ACTIONS
from engines.portrait.mouth.pose import MouthPose
from engines.portrait.performance.dials import Performance
from engines.portrait.pixels import F32, F64
from engines.portrait.speech.track import VisemeTrack

YAW, PITCH, ROLL = 0.055, 0.030, 0.022
"""Reach of the head's slow wandering."""
SHIFT_X, SHIFT_Y = 0.018, 0.008
NOD_ON_ACCENT = 0.045
"""Pitch on a loud syllable, with NOD_SINK of downward shift."""
NOD_SINK = 0.020
BREATH, BREATH_PERIOD_S = 0.014, 3.9
BROW_WANDER, BROW_ON_ACCENT = 0.012, 0.05
BROW_LIMITS = (-0.015, 0.05)
BROW_HELD = 0.075
"""Lift of the brows at performance.brow 1."""
KNIT_HELD = 0.055
NOD_PITCH, NOD_S, NOD_EVERY_S = 0.14, 0.85, 2.4
SHAKE_YAW, SHAKE_S, SHAKE_EVERY_S = 0.17, 1.1, 2.8
BLINK = (0.4, 0.95, 1.0, 0.8, 0.45, 0.15)
"""Lid closure in the frames of one blink at 25 fps: faster down than up."""
BLINK_SHAPE, BLINK_SCALE_S = 4.0, 0.62
"""Gamma distribution of the time from one blink to the next, plus BLINK_MIN_S."""
BLINK_MIN_S = 0.5
SACCADE_MIN_S, SACCADE_MEAN_S = 0.7, 1.6
EASE_S = 0.5
"""The performance grows out of the photo and returns to it within this time."""
ENGAGE_LEAD_S, ENGAGE_HOLD_S, ENGAGE_SIGMA_S = 0.16, 0.45, 0.10
"""A mouth that is open in the photo gets ready this long before speech, and stays so in short pauses."""


@dataclass(frozen=True)
class Motion:
    """`mouth` (frames, 10) as `MouthPose`, `lid` (frames,) -1..1, `gaze` (frames, 2), `head` (frames, 8)."""

    mouth: F32
    lid: F32
    gaze: F32
    head: F32

    def __len__(self) -> int:
        return len(self.mouth)

    def pose(self, index: int) -> MouthPose:
        return MouthPose(*(float(value) for value in self.mouth[index]))


def choreograph(track: VisemeTrack, performance: Performance, seed: int) -> Motion:
    """Lay out all frames of `track` for a `performance`; `seed` varies what speech does not decide."""
    random = np.random.default_rng(seed)
    frames, fps = len(track.shapes), track.fps
    ease = _ease(frames, fps)
    lid, gaze = _eyes(track, performance, ease, random)
    return Motion(
        mouth=_mouth(track, performance, ease),
        lid=lid,
        gaze=gaze,
        head=_head(track, performance, ease, random),
    )


def _ease(frames: int, fps: int) -> F64:
    """0 in the first and last frame, 1 from EASE_S inside."""
    time = np.arange(frames) / fps
    edge = np.clip(np.minimum(time, time[::-1]) / EASE_S, 0, 1)
    ease: F64 = edge * edge * (3 - 2 * edge)
    return ease


def _mouth(track: VisemeTrack, performance: Performance, ease: F64) -> F32:
    frames, fps = track.shapes.shape[0], track.fps
    scale = np.array([performance.mouth, performance.mouth, 1, performance.mouth, 1, 1, 1, 1])
    speaking = ~track.silence
    ready = np.zeros(frames, bool)
    lead, hold = round(ENGAGE_LEAD_S * fps), round(ENGAGE_HOLD_S * fps)
    for start, stop in _runs(speaking):
        ready[max(0, start - lead) : stop + hold] = True
    engage = np.clip(gaussian_filter1d(ready.astype(float), ENGAGE_SIGMA_S * fps, mode="nearest"), 0, 1)
    # a serious speaker does not fall back into the photo's grin between sentences
    engage = np.maximum(engage, min(1.0, 3 * max(0.0, -performance.smile)))
    quiet = np.minimum(1, ease * 4)  # the very first and last frame are the photo
    smile = performance.smile * ease * (1 - 0.35 * engage)
    shapes = track.shapes * scale * quiet[:, None]
    return np.column_stack([shapes, smile, engage * quiet]).astype(np.float32)


def _runs(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """(start, stop) of every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _wander(time: F64, amplitude: float, period_s: float, random: np.random.Generator) -> F64:
    """A slow aimless curve: four sines of about `period_s`."""
    total = np.zeros_like(time)
    for _ in range(4):
        rate = 1 / (period_s * (0.6 + 0.9 * random.random()))
        phase, weight = random.random() * 2 * np.pi, 0.5 + random.random()
        total += weight * np.sin(2 * np.pi * rate * time + phase)
    return amplitude * total / 4


def _gesture(
    time: F64, every_s: float, length_s: float, random: np.random.Generator, *, cycles: float, damped: bool
) -> F64:
    """A deliberate movement now and then: `cycles` swings within `length_s`, the first one at 0.5 s."""
    total = np.zeros_like(time)
    start = 0.5
    while start < time[-1] + 1e-9:
        phase = (time - start) / length_s
        inside = (phase >= 0) & (phase <= 1)
        swell = np.sin(np.pi * np.clip(phase, 0, 1)) ** 0.7
        fade = 1 - 0.45 * np.clip(phase, 0, 1) if damped else 1.0
        total += np.where(inside, np.sin(2 * np.pi * cycles * phase) * swell * fade, 0)
        start += every_s * (0.8 + 0.4 * random.random())
    return total


def _head(track: VisemeTrack, performance: Performance, ease: F64, random: np.random.Generator) -> F32:
    frames, fps = len(ease), track.fps
    time = np.arange(frames) / fps
    energy = gaussian_filter1d(track.energy.astype(float), 0.10 * fps, mode="nearest")
    accent = energy - gaussian_filter1d(track.energy.astype(float), 1.2 * fps, mode="nearest")
    accent = performance.accent * (0.7 * accent + 0.3 * gaussian_filter1d(track.stress.astype(float), 2.0))
    liveliness = gaussian_filter1d(track.energy.astype(float), 0.6 * fps, mode="nearest")
    liveliness = performance.head * (0.45 + 0.55 * np.clip(2 * liveliness, 0, 1))
    nod = performance.nods * _gesture(time, NOD_EVERY_S, NOD_S, random, cycles=1.5, damped=True)
    shake = performance.shakes * _gesture(time, SHAKE_EVERY_S, SHAKE_S, random, cycles=2.0, damped=True)
    brow = BROW_ON_ACCENT * accent + _wander(time, BROW_WANDER, 3.0, random)
    curves = {
        "yaw": _wander(time, YAW, 3.6, random) * liveliness + SHAKE_YAW * shake,
        "pitch": _wander(time, PITCH, 3.1, random) * liveliness + NOD_ON_ACCENT * accent + NOD_PITCH * nod,
        "roll": _wander(time, ROLL, 4.3, random) * liveliness + performance.tilt,
        "shift_x": _wander(time, SHIFT_X, 5.0, random) * liveliness + 0.25 * SHAKE_YAW * shake,
        "shift_y": _wander(time, SHIFT_Y, 4.0, random) * performance.head + NOD_SINK * accent + 0.04 * nod,
        "breath": BREATH * np.sin(2 * np.pi * time / BREATH_PERIOD_S),
        "brow_raise": np.clip(brow, *BROW_LIMITS) + BROW_HELD * performance.brow,
        "brow_knit": np.full(frames, KNIT_HELD * max(0.0, -performance.brow)),
    }
    return np.column_stack([curves[name] * ease for name in HEAD_ACTIONS]).astype(np.float32)


def _eyes(
    track: VisemeTrack, performance: Performance, ease: F64, random: np.random.Generator
) -> tuple[F32, F32]:
    frames, fps = len(ease), track.fps
    held = (max(0.0, performance.eyes) * -1.0 + max(0.0, -performance.eyes) * 0.34) * ease
    held += 0.10 * max(0.0, performance.smile) * ease
    lid = held.copy()
    closing = np.interp(np.arange(0, len(BLINK), 25 / fps), np.arange(len(BLINK)), BLINK)
    next_blink = 0.7 + 1.2 * random.random()
    while (start := int(next_blink * fps)) < frames - len(closing) - 1:
        stop = start + len(closing)
        lid[start:stop] = held[start:stop] * (1 - closing) + closing
        pause = BLINK_MIN_S + random.gamma(BLINK_SHAPE, BLINK_SCALE_S)
        next_blink += max(0.4, pause / max(0.2, performance.blink_rate))
    gaze = np.zeros((frames, 2))
    moment = 0.6 + random.random()
    while performance.gaze > 0 and (start := int(moment * fps)) < frames:
        moment += SACCADE_MIN_S + random.exponential(SACCADE_MEAN_S)
        if random.random() < 0.5:  # half of the time the eyes are on the camera
            away = random.normal(0, 0.45, 2) * performance.gaze
            gaze[start : int(moment * fps)] = np.clip(away, -1, 1)
    gaze *= np.minimum(1, ease * 4)[:, None]
    return lid.astype(np.float32), gaze.astype(np.float32)
