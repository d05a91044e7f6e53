"""Measures 48 kHz mono speech while it streams by: peak, RMS and the loudest tenth of a second."""

import math

import numpy as np
from numpy.typing import NDArray

FLOOR_DBFS = -120.0
_FULL_SCALE = 32768.0


def dbfs(amplitude: float) -> float:
    """Level of an amplitude relative to full scale (1.0), in dB with one decimal, never below -120."""
    if amplitude <= 1e-6:
        return FLOOR_DBFS
    return round(20 * math.log10(amplitude), 1) + 0.0  # + 0.0 makes -0.0 plain


class LevelMeter:
    """Feed 16-bit samples in pieces of any length; memory is one window."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._rest: NDArray[np.int16] = np.zeros(0, np.int16)
        self.samples = 0
        self._peak = 0
        self._square_sum = 0.0
        self._loudest_variance = 0.0

    def feed(self, samples: NDArray[np.int16]) -> None:
        """Take the next samples."""
        if samples.size == 0:
            return
        self.samples += samples.size
        self._peak = max(self._peak, int(samples.max()), -int(samples.min()))
        pending = np.concatenate((self._rest, samples))
        whole = pending.size // self._window * self._window
        self._measure(pending[:whole].reshape(-1, self._window).astype(np.float64))
        self._rest = pending[whole:]

    def _measure(self, windows: NDArray[np.float64]) -> None:
        if windows.size:
            # einsum stays in this thread; a dot product would wake the linear algebra library's own.
            squares = np.einsum("ij,ij->i", windows, windows)
            self._square_sum += float(squares.sum())
            # The variance leaves a constant offset out, which nobody hears.
            variances = squares / self._window - windows.mean(axis=1) ** 2
            self._loudest_variance = max(self._loudest_variance, float(variances.max()))

    @property
    def peak_dbfs(self) -> float:
        """The largest sample."""
        return dbfs(self._peak / _FULL_SCALE)

    @property
    def rms_dbfs(self) -> float:
        """The root mean square of everything."""
        rest = self._rest.astype(np.float64)
        squares = self._square_sum + float(np.square(rest).sum())
        return dbfs(math.sqrt(squares / max(1, self.samples)) / _FULL_SCALE)

    @property
    def loudest_dbfs(self) -> float:
        """RMS of the loudest window, without its constant offset."""
        return dbfs(math.sqrt(self._loudest_variance) / _FULL_SCALE)
