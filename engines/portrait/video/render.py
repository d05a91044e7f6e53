"""Rendering a whole video: segments in parallel, joined in order, with progress and cancellation."""

import logging
import queue
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace

import cv2

from engines.base import Cancelled, Progress, RenderCancelled
from engines.portrait.performance.hold import HOLD_SHARE, hold_small_movements
from engines.portrait.performance.motion import Motion
from engines.portrait.rig import PortraitRig
from engines.portrait.video.companion import Companion, CompanionLostError
from engines.portrait.video.encode import EncodedPacket, plan_segments
from engines.portrait.video.label import Label
from engines.portrait.video.segments import SegmentRenderer, Video

logger = logging.getLogger(__name__)

POLL_S = 0.1
"""How often progress is reported and cancellation asked for."""


class VideoRender:
    """One video being rendered by this process and its `companions`, each on one core.

    Use as a context manager: the work begins with the block, and what is not finished ends with it.
    """

    def __init__(
        self, rig: PortraitRig, motion: Motion, label: Label | None, companions: list[Companion]
    ) -> None:
        tolerance = HOLD_SHARE * max(rig.planes.width, rig.planes.height)
        head = hold_small_movements(motion.head, rig.head.moves, tolerance)
        self._video = Video(rig, replace(motion, head=head), label)
        self._frames = len(motion)
        self._companions = companions
        self._idle: queue.SimpleQueue[SegmentRenderer | Companion | None] = queue.SimpleQueue()
        self._done = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def __enter__(self) -> "VideoRender":
        cv2.setNumThreads(1)  # the processes are the parallelism; OpenCV's own would get in their way
        for companion in self._companions:
            companion.prepare(self._video)
            self._idle.put(companion)
        self._idle.put(None)  # this process, which gets a renderer when it is its turn
        self._pool = ThreadPoolExecutor(1 + len(self._companions), thread_name_prefix="portrait")
        segments = plan_segments(self._frames)
        others = 1 + min(len(self._companions), len(segments) - 1)
        # the companions begin first, but with later segments: the first one is written while they finish
        order = (*segments[1:others], segments[0], *segments[others:])
        try:
            begun = {part: self._pool.submit(self._segment, part) for part in order}
        except RuntimeError:  # no more threads: those there are must not go on beside the next video's
            self.__exit__()
            raise
        self._pending = deque(begun[part] for part in segments)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown()

    def packets(self, progress: Progress, cancelled: Cancelled) -> Iterator[list[EncodedPacket]]:
        """Encoded segments in order. `progress` gets the share of frames finished.

        Raises `RenderCancelled` within about a tenth of a second of `cancelled` answering True, or once a
        companion that is just being started has started.
        """
        while self._pending:  # taken off one by one: a finished segment's packets must not be kept
            yield self._await(self._pending.popleft(), progress, cancelled)

    def _await(
        self, future: Future[list[EncodedPacket]], progress: Progress, cancelled: Cancelled
    ) -> list[EncodedPacket]:
        while True:
            if cancelled():
                raise RenderCancelled
            progress(self._done / self._frames)
            try:
                return future.result(timeout=POLL_S)
            except FutureTimeout:
                continue

    def _segment(self, frames: range) -> list[EncodedPacket]:
        """Have the segment rendered by whoever is free."""
        if self._stop.is_set():
            return []
        renderer = self._idle.get()  # there are as many as threads
        try:
            renderer = renderer or SegmentRenderer(self._video)
            return renderer.render(frames, self._going_on)
        except CompanionLostError:
            logger.warning("A companion process ended early; its segments are rendered without it.")
            renderer = SegmentRenderer(self._video)
            return renderer.render(frames, self._going_on)
        finally:
            self._idle.put(renderer)

    def _going_on(self, drawn: int) -> bool:
        with self._lock:
            self._done += drawn
        return not self._stop.is_set()
