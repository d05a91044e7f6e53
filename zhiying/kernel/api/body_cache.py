"""Answers that were made before, kept by what they were made of."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock


class BodyCache:
    """The bodies used last, up to a number of bytes, each under a tag that changes with its content.

    It holds what a process has made itself and is asked only after permission was checked; whoever
    changes something changes the tag, so nothing here has to be thrown away in time.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._bodies: OrderedDict[Hashable, tuple[str, bytes]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, tag: str) -> bytes | None:
        """The body kept under `key`, if it was made of the same."""
        with self._lock:
            kept = self._bodies.get(key)
            if kept is None or kept[0] != tag:
                return None
            self._bodies.move_to_end(key)
            return kept[1]

    def put(self, key: Hashable, tag: str, body: bytes) -> None:
        """Keep a body in place of an older one of the same key."""
        if len(body) > self._max_bytes:
            return
        with self._lock:
            earlier = self._bodies.pop(key, None)
            self._bytes += len(body) - (len(earlier[1]) if earlier else 0)
            self._bodies[key] = (tag, body)
            while self._bytes > self._max_bytes:
                self._bytes -= len(self._bodies.popitem(last=False)[1][1])

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._bytes
