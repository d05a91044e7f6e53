"""Movements too small to be seen are drawn together.

A head that drifts moves by a fraction of a pixel a frame. Drawing, and encoding, the same head for two or
three frames saves most of both. Which frames share a head is decided from the motion alone, before anything
is drawn, so that it depends neither on threads nor on segments.
"""

import numpy as np

from engines.portrait.pixels import F32

HOLD_SHARE = 1 / 4096
"""No point is ever drawn further from where it should be than this share of the picture's longer side: an
eighth of a pixel at 512, a quarter at 1080."""
CHUNK = 16
"""Frames measured at once: few enough for NumPy's BLAS not to start threads."""


def hold_small_movements(weights: F32, moves: F32, tolerance: float) -> F32:
    """`weights` (frames, actions) with runs of frames made equal that differ by little.

    `moves` (actions, n) are the pixels by which unit weights move some points, x and y counting as two. Along
    a run no point travels more than twice the `tolerance`, in pixels; the run is drawn midway between its
    first and its last frame, which by the triangle inequality is within the tolerance of each of its frames.
    Frames at rest, all weights zero, stay exactly at rest.
    """
    held = weights.copy()
    steps = _longest_steps(weights, moves)
    resting: list[bool] = (np.abs(weights).max(axis=1) == 0).tolist()
    start, travelled = 0, 0.0
    for index in range(1, len(weights) + 1):
        if index < len(weights):
            travelled += steps[index - 1]
            if travelled <= 2 * tolerance and resting[index] == resting[start]:
                continue
        held[start:index] = (weights[start] + weights[index - 1]) * np.float32(0.5)
        start, travelled = index, 0.0
    return held


def _longest_steps(weights: F32, moves: F32) -> list[float]:
    """How far the furthest point moves from each frame to the next, in pixels (frames - 1,)."""
    steps = np.diff(weights, axis=0)
    furthest = [
        np.abs(steps[start : start + CHUNK] @ moves).max(axis=1) for start in range(0, len(steps), CHUNK)
    ]
    return [float(step) for part in furthest for step in part]
