"""Comparing two curves over time."""

import numpy as np
from numpy.typing import NDArray


def correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float | None:
    """Pearson's correlation of two curves of the same length; None where one of them is flat."""
    if len(first) < 2 or np.ptp(first) < 1e-6 or np.ptp(second) < 1e-6:
        return None
    return float(np.corrcoef(first, second)[0, 1])


def lag(ours: NDArray[np.float32], real: NDArray[np.float32], reach: int) -> tuple[int | None, float | None]:
    """By how many samples ours comes late (negative: early) where it correlates best, and how well."""
    best: tuple[int | None, float | None] = (None, None)
    for shift in sorted(range(-reach, reach + 1), key=abs):
        a = ours[max(0, shift) : len(ours) + min(0, shift)]
        b = real[max(0, -shift) : len(real) + min(0, -shift)]
        value = correlation(a, b)
        if value is not None and (best[1] is None or value > best[1] + 1e-6):
            best = (shift, value)
    return best
