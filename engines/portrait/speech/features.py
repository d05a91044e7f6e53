"""From samples to levels and mel spectra at the analysis rate."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from engines.portrait.speech.constants import (
    FFT_SIZE,
    HOP,
    MEL_BANDS,
    MEL_HIGH_HZ,
    MEL_LOW_HZ,
    POWER_FLOOR,
    SAMPLE_RATE,
    WINDOW,
)

_BLOCK_FRAMES = 2048
"""Frames transformed at once, so that memory does not grow with the recording."""


@dataclass(frozen=True)
class Features:
    """Signal features, one row per 10 ms; frame `i` is centred on sample `i * HOP`."""

    level_db: NDArray[np.float32]
    """(n,) level of the window in dBFS, -100 for digital silence."""
    mel_db: NDArray[np.float32]
    """(n, MEL_BANDS) power of each mel band in dB."""

    def __len__(self) -> int:
        """Number of analysis frames."""
        return len(self.level_db)


def extract(pcm: NDArray[np.float32]) -> Features:
    """Levels and mel spectra of mono 16 kHz samples; at least one frame, also for no samples."""
    count = len(pcm) // HOP + 1
    half = WINDOW // 2
    padded = np.zeros((count - 1) * HOP + WINDOW, np.float32)
    usable = min(len(pcm), len(padded) - half)
    padded[half : half + usable] = pcm[:usable]
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    taper = np.hanning(WINDOW).astype(np.float32)
    filters = _mel_filters()
    level = np.empty(count, np.float32)
    mel = np.empty((count, MEL_BANDS), np.float32)
    for start in range(0, count, _BLOCK_FRAMES):
        block = windows[start : start + _BLOCK_FRAMES]
        rows = slice(start, start + len(block))
        level[rows] = np.einsum("ij,ij->i", block, block) / WINDOW
        spectrum = rfft(block * taper, FFT_SIZE, axis=1)
        mel[rows] = (spectrum.real**2 + spectrum.imag**2) @ filters
    _hold_edges(level, mel, len(pcm))
    return Features(
        level_db=10 * np.log10(np.maximum(level, POWER_FLOOR)),
        mel_db=10 * np.log10(np.maximum(mel, POWER_FLOOR)),
    )


def _hold_edges(level: NDArray[np.float32], mel: NDArray[np.float32], samples: int) -> None:
    """Let frames whose window reaches beyond the recording repeat the nearest whole one.

    Else the cut itself, which has energy at all frequencies, would look like the onset of a sound.
    """
    first = math.ceil(WINDOW / 2 / HOP)
    last = (samples - WINDOW // 2) // HOP
    if last < first:
        return
    for values in (level, mel):
        values[:first] = values[first]
        values[last + 1 :] = values[last]


@lru_cache(maxsize=1)
def mel_centres() -> NDArray[np.float32]:
    """(MEL_BANDS,) centre frequencies in Hz."""
    return _mel_edges()[1:-1]


def bands_between(low_hz: float, high_hz: float) -> slice:
    """The mel bands whose centres lie between two frequencies."""
    first, last = np.searchsorted(mel_centres(), [low_hz, high_hz])
    return slice(int(first), int(last))


def _mel_edges() -> NDArray[np.float32]:
    """Corner frequencies on the mel scale of O'Shaughnessy (1987)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (MEL_LOW_HZ, MEL_HIGH_HZ))
    mels = np.linspace(low, high, MEL_BANDS + 2)
    return (700 * (10 ** (mels / 2595) - 1)).astype(np.float32)


@lru_cache(maxsize=1)
def _mel_filters() -> NDArray[np.float32]:
    """(FFT_SIZE // 2 + 1, MEL_BANDS) triangular filters."""
    edges = _mel_edges()
    hz = (np.arange(FFT_SIZE // 2 + 1) * SAMPLE_RATE / FFT_SIZE)[:, None]
    rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    filters: NDArray[np.float32] = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return filters
