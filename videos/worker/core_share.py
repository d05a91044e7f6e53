"""The machine's cores, divided among the renders that run at the same time in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from engines.cores import MAX_RENDER_THREADS


class CoreShare:
    """A render alone gets all cores and is done soonest; renders at once get their part each.

    More threads than cores would only make them wait for each other.
    """

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._running = 0
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[int]:
        """While this lasts one more render counts as running; yields how many threads it should use."""
        with self._lock:
            self._running += 1
            threads = min(MAX_RENDER_THREADS, max(1, self._cores // self._running))
        try:
            yield threads
        finally:
            with self._lock:
                self._running -= 1
