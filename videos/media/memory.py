"""Keeps the memory of concurrent decodes within a budget."""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class WeightedGate:
    """Admits holders while their weights sum to at most `capacity`; a heavier one is admitted alone."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._free = capacity
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, weight: int) -> Iterator[None]:
        """Wait until `weight` (bytes) fits, and give it back at the end."""
        weight = max(0, min(weight, self._capacity))
        with self._changed:
            self._changed.wait_for(lambda: weight <= self._free)
            self._free -= weight
        try:
            yield
        finally:
            with self._changed:
                self._free += weight
                self._changed.notify_all()


def _find_trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # only glibc has it
        return None
    return trim


_trim = _find_trim()


def release_free_memory() -> None:
    """Give freed heap back to the system: glibc keeps it per thread, which adds up over a pool of them."""
    if _trim is not None:
        _trim(0)
