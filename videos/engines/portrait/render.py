"""Rendering a whole video: segments on threads, joined in order, with progress and cancellation."""

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace

import cv2
import numpy as np

from videos.engines.base import Cancelled, Progress, RenderCancelled
from videos.engines.portrait.encode import Packet, SegmentEncoder, plan_segments
from videos.engines.portrait.frames import FrameRenderer
from videos.engines.portrait.hold import HOLD_SHARE, hold_small_movements
from videos.engines.portrait.label import Label
from videos.engines.portrait.motion import Motion
from videos.engines.portrait.rig import PortraitRig

POLL_S = 0.1
"""How often progress is reported and cancellation asked for."""

BURST_BYTES, BURST_FRAMES = 14_000_000, 16
"""Up to so many pictures are drawn, then encoded, in one go: the processor's caches then serve one of the two
at a time."""


def burst_frames(picture_bytes: int) -> int:
    """How many pictures are drawn before they are encoded."""
    return max(1, min(BURST_FRAMES, BURST_BYTES // picture_bytes))


class VideoRender:
    """One video being rendered by `threads` threads.

    Each thread draws and encodes segments of its own. Drawing is hundreds of short calls that all want the
    interpreter's lock, encoding is one long call without it. So one thread draws while the other encodes;
    two that drew would spend a quarter of their time waking each other up.
    """

    def __init__(self, rig: PortraitRig, motion: Motion, label: Label | None, threads: int) -> None:
        tolerance = HOLD_SHARE * max(rig.planes.width, rig.planes.height)
        head = hold_small_movements(motion.head, rig.head.moves, tolerance)
        self._rig, self._motion = rig, replace(motion, head=head)
        self._label, self._threads = label, threads
        self._done = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._drawing = threading.BoundedSemaphore(max(1, threads // 2))
        self._local = threading.local()

    def packets(self, progress: Progress, cancelled: Cancelled) -> Iterator[list[Packet]]:
        """Encoded segments in order. `progress` gets the share of frames finished.

        Raises `RenderCancelled` within about a tenth of a second of `cancelled` answering True.
        """
        cv2.setNumThreads(1)  # the threads here are the parallelism; OpenCV's own would get in their way
        with ThreadPoolExecutor(self._threads, thread_name_prefix="portrait") as pool:
            segments = plan_segments(len(self._motion))
            pending = deque(pool.submit(self._segment, frames) for frames in segments)
            try:
                while pending:  # taken off one by one: a finished segment's packets must not be kept
                    yield self._await(pending.popleft(), progress, cancelled)
            finally:
                self._stop.set()

    def _await(self, future: Future[list[Packet]], progress: Progress, cancelled: Cancelled) -> list[Packet]:
        while True:
            if cancelled():
                raise RenderCancelled("The render was cancelled.")
            progress(self._done / len(self._motion))
            try:
                return future.result(timeout=POLL_S)
            except FutureTimeout:
                continue

    def _segment(self, frames: range) -> list[Packet]:
        renderer = self._renderer()
        renderer.reset()
        planes = self._rig.planes
        encoder = SegmentEncoder(planes.width, planes.height, frames.start)
        pictures = renderer.frames(self._motion, frames)
        burst = [np.empty_like(renderer.buffer) for _ in range(burst_frames(renderer.buffer.nbytes))]
        packets: list[Packet] = []
        while True:
            drawn = 0
            with self._drawing:
                for target, picture in zip(burst, pictures, strict=False):
                    target[:] = picture
                    drawn += 1
            for picture in burst[:drawn]:
                if self._stop.is_set():
                    return packets
                packets += encoder.add(picture)
            with self._lock:
                self._done += drawn
            if drawn < len(burst):
                return packets + encoder.finish()

    def _renderer(self) -> FrameRenderer:
        """This thread's own renderer."""
        renderer: FrameRenderer | None = getattr(self._local, "renderer", None)
        if renderer is None:
            renderer = self._local.renderer = FrameRenderer(self._rig, self._label)
        return renderer
