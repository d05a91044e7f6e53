"""Making clean synthetic speech sound like recordings of many people in many rooms."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, resample, sosfilt

from ..constants import SAMPLE_RATE


def vary(pcm: NDArray[np.float32], rng: np.random.Generator) -> tuple[NDArray[np.float32], float]:
    """A variant of a recording and the factor by which it became longer.

    Resampling moves pitch and formants together, as a larger or smaller speaker would.
    """
    factor = float(rng.uniform(0.8, 1.18))
    varied = resample(pcm, max(1, round(len(pcm) * factor))).astype(np.float32)
    if rng.random() < 0.4:
        varied = _in_room(varied, rng)
    if rng.random() < 0.3:
        cutoff = float(rng.uniform(3200, 7500))
        varied = sosfilt(butter(6, cutoff, fs=SAMPLE_RATE, output="sos"), varied).astype(np.float32)
    if rng.random() < 0.7:
        varied = _with_noise(varied, rng)
    if rng.random() < 0.15:
        peak = np.abs(varied).max() + 1e-9
        varied = np.clip(varied, -peak * rng.uniform(0.2, 0.6), peak * rng.uniform(0.2, 0.6))
    return (varied * np.float32(10 ** rng.uniform(-1.5, 0.3))).astype(np.float32), factor


def _in_room(pcm: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Exponentially decaying reverberation behind the direct sound."""
    decay_s = rng.uniform(0.05, 0.4)
    times = np.arange(int(decay_s * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.normal(size=len(times)) * 10 ** (-3 * times / decay_s)
    tail *= rng.uniform(0.2, 0.8) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    result: NDArray[np.float32] = fftconvolve(pcm, tail)[: len(pcm)].astype(np.float32)
    return result


def _with_noise(pcm: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """White to brown noise, 5 to 40 dB below the speech."""
    spectrum = np.fft.rfft(rng.normal(size=len(pcm)))
    slope = rng.uniform(0, 1.2)
    spectrum /= np.maximum(np.arange(len(spectrum)), len(spectrum) / 160) ** slope
    noise = np.fft.irfft(spectrum, len(pcm))
    level = np.sqrt((pcm**2).mean() / ((noise**2).mean() + 1e-12)) * 10 ** (-rng.uniform(5, 40) / 20)
    return (pcm + level * noise).astype(np.float32)
