"""Keeps the memory of concurrent decodes within a budget."""

import threading
from collections.abc import Iterator
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


DECODE_GATE = WeightedGate(80_000_000)
"""Bytes that all image decodes of this process may take together."""
