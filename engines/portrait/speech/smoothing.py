"""Filters over time, for arrays whose first axis is time."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from engines.portrait.speech.constants import ANALYSIS_RATE


def blur(values: NDArray[np.float32], sigma_s: float) -> NDArray[np.float32]:
    """Gaussian smoothing at the analysis rate; the ends are held, not faded."""
    smoothed: NDArray[np.float32] = gaussian_filter1d(
        values, sigma_s * ANALYSIS_RATE, axis=0, mode="nearest", truncate=3.0, output=np.float32
    )
    return smoothed


def ramp(values: NDArray[np.float32], limits: tuple[float, float]) -> NDArray[np.float32]:
    """Rise linearly from 0 at the first limit to 1 at the second."""
    low, high = limits
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)


def widen(flags: NDArray[np.bool_], margin_s: float) -> NDArray[np.bool_]:
    """Extend every True stretch by `margin_s` on both sides."""
    reach = 2 * round(margin_s * ANALYSIS_RATE) + 1
    widened: NDArray[np.bool_] = maximum_filter1d(flags.astype(np.uint8), reach, mode="nearest") > 0
    return widened


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open (start, end) index pairs of the True stretches, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def to_frames(values: NDArray[np.float32], frames: int, fps: int) -> NDArray[np.float32]:
    """Sample curves at the analysis rate at the moments of the video frames."""
    moments = np.arange(frames) * (ANALYSIS_RATE / fps)
    source = np.arange(len(values))
    if values.ndim == 1:
        return np.interp(moments, source, values).astype(np.float32)
    return np.stack([np.interp(moments, source, column) for column in values.T], axis=1).astype(np.float32)


def pool_to_frames(values: NDArray[np.float32], frames: int, fps: int) -> NDArray[np.float32]:
    """Largest value within half a video frame around each frame's moment."""
    step = ANALYSIS_RATE / fps
    pooled = maximum_filter1d(values, 2 * max(1, round(step / 2)) + 1, mode="nearest")
    nearest = np.clip(np.round(np.arange(frames) * step).astype(int), 0, len(values) - 1)
    result: NDArray[np.float32] = pooled[nearest].astype(np.float32)
    return result
