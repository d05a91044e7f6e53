"""The places of a worker process in which items are rendered, each with render processes of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from videos.scheduling.engines import local_engines, remote_engines, render_engine
from videos.worker.renderer import Renderer, RenderLimits

LIMITS_LOOK_S = 0.5
"""Seconds between two looks at a render's time, memory and claim."""


class Slot:
    """One place. Used by whoever has taken it, one thread at a time."""

    def __init__(self) -> None:
        self._renderers: dict[str, Renderer] = {}

    def renderer(self, engine: str) -> Renderer:
        """The process of this place that makes an engine's videos, or a remote one's results ours.

        Each stays: a worker of two engines would else load models anew with every other item.
        """
        name = render_engine(engine)
        if name not in self._renderers:
            limits = RenderLimits(
                time_s=settings.RENDER_TIME_LIMIT_S,
                memory_mb=settings.RENDER_MEMORY_LIMIT_MB,
                heartbeat_s=min(LIMITS_LOOK_S, settings.HEARTBEAT_S),
            )
            self._renderers[name] = Renderer(name, limits)
        return self._renderers[name]

    def close(self) -> None:
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()


class Slots:
    """All places of this process. Whoever finds none free has nothing to do here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[Slot] = []
        self._made = 0

    @contextmanager
    def taken(self, *, leaving: int = 0) -> Iterator[Slot | None]:
        """A free place for as long as the context lasts, or None when all are busy.

        `leaving`: how many of the free ones are for somebody else.
        """
        slot = self._take(leaving)
        try:
            yield slot
        finally:
            if slot:
                with self._lock:
                    self._free.append(slot)

    def free(self) -> int:
        """How many more items could be rendered now."""
        with self._lock:
            return self._count_free()

    def _count_free(self) -> int:
        unmade: int = max(0, settings.WORKER_THREADS - self._made)
        return unmade + len(self._free)

    def start(self) -> None:
        """Start the render processes now, so that the first items do not wait for imports and models."""
        with self._lock:
            while self._made < settings.WORKER_THREADS:
                self._made += 1
                self._free.append(Slot())
            slots = list(self._free)
        for engine in (local_engines() + remote_engines())[:1]:
            for slot in slots:
                slot.renderer(engine).start()

    def close(self) -> None:
        """End the render processes of all places that are free."""
        with self._lock:
            closing, self._free = self._free, []
            self._made -= len(closing)
        for slot in closing:
            slot.close()

    def _take(self, leaving: int) -> Slot | None:
        with self._lock:
            if self._count_free() <= leaving:
                return None
            if self._free:
                return self._free.pop()
            self._made += 1
            return Slot()


slots = Slots()
"""Those of this process."""
