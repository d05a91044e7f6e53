"""Segments of a video, drawn and encoded: the unit of work of every process that takes part in a render."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engines.portrait.performance.motion import Motion
from engines.portrait.rig import PortraitRig
from engines.portrait.video.encode import EncodedPacket, SegmentEncoder
from engines.portrait.video.frames import FrameRenderer
from engines.portrait.video.label import Label

BURST_FRAMES = 64
"""Up to so many pictures are drawn, then encoded, in one go: the processor's caches then serve one of the two
at a time, which saves a twentieth at 1080 pixels and at 512 a little more than the copies cost."""
BURST_BYTES, HELD_PICTURES = 25_000_000, 6
"""Memory for a burst and for some of the pictures that drawing and encoding hold besides: the larger a
picture, the more these take, and the less is left for the burst."""


def burst_frames(picture_bytes: int) -> int:
    """How many pictures are drawn before they are encoded."""
    return max(1, min(BURST_FRAMES, BURST_BYTES // picture_bytes - HELD_PICTURES))


@dataclass(frozen=True)
class Video:
    """All that the pictures of a video depend on."""

    rig: PortraitRig
    motion: Motion
    label: Label | None


class SegmentRenderer:
    """Draws and encodes segments of one video, one after the other."""

    def __init__(self, video: Video) -> None:
        self._planes = video.rig.planes
        self._motion = video.motion
        self._renderer = FrameRenderer(video.rig, video.label)
        picture = self._renderer.buffer
        self._burst = [np.empty_like(picture) for _ in range(burst_frames(picture.nbytes))]

    def render(self, frames: range, going_on: Callable[[int], bool]) -> list[EncodedPacket]:
        """The packets of the segment `frames`.

        `going_on` is told after every burst how many more frames are finished; once it answers False, what is
        there is returned.
        """
        self._renderer.reset()
        encoder = SegmentEncoder(self._planes.width, self._planes.height, frames.start)
        packets: list[EncodedPacket] = []
        for start in range(frames.start, frames.stop, len(self._burst)):
            drawn = range(start, min(start + len(self._burst), frames.stop))
            for target, picture in zip(self._burst, self._renderer.frames(self._motion, drawn), strict=False):
                target[:] = picture
            for picture in self._burst[: len(drawn)]:
                packets += encoder.add(picture)
            if not going_on(len(drawn)):
                return packets
        return packets + encoder.finish()
