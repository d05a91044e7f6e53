"""Encoding: segments in parallel, joined without encoding again.

A video is cut into segments of whole groups of pictures. Each is rendered and encoded by one process with
a single-threaded encoder of its own; the packets are then written one segment after the other. That uses
all cores without the waiting of a pipeline, and the result does not depend on how many there are.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import VideoFrame

from engines.portrait.pixels import U8
from engines.portrait.video.rate import FPS

PRESET, CRF = "veryfast", 21
TUNING = "me=dia:subme=1:partitions=none:b-adapt=0:b-pyramid=none:weightp=0:scenecut=0:rc-lookahead=5"
"""Searches left out because nothing here needs them: motion is a fraction of a pixel a frame and smooth over
a whole face, and there are no cuts and no fades. Two fifths less time than the preset at the same size, for a
quarter of a decibel. The short look-ahead saves 20 MB an encoder at 1080 pixels."""
PROFILE = "high"
SEGMENT_FRAMES = 250
"""Longest segment, which is also the longest distance of key frames: 10 s."""
MIN_SEGMENT_FRAMES = 24
BT709 = 1
LIMITED_RANGE = 1
TIME_BASE = Fraction(1, FPS)


def encoder_options() -> dict[str, str]:
    """What libx264 is told, for the engine and for whoever measures against it."""
    return {"preset": PRESET, "crf": str(CRF), "profile": PROFILE, "threads": "1", "x264-params": TUNING}


def plan_segments(frames: int) -> list[range]:
    """Cut `frames` frames into an even number of nearly equal segments, so that two cores finish together."""
    count = max(1, -(-frames // SEGMENT_FRAMES))
    if frames >= 2 * MIN_SEGMENT_FRAMES:
        count += count % 2
    edges = [frames * index // count for index in range(count + 1)]
    return [range(start, stop) for start, stop in pairwise(edges)]


@dataclass(frozen=True)
class EncodedPacket:
    """A picture as H.264, which may go from one process to another; times in frames of the whole video."""

    data: bytes
    pts: int
    dts: int
    keyframe: bool


class SegmentEncoder:
    """Encodes the frames of one segment."""

    def __init__(self, width: int, height: int, first_frame: int) -> None:
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height = width, height
        context.pix_fmt = "yuv420p"
        context.framerate, context.time_base = Fraction(FPS), TIME_BASE
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED_RANGE
        context.options = encoder_options()
        self._context = context
        self._next = first_frame

    def add(self, i420: U8) -> list[EncodedPacket]:
        """Encode one picture (H * 3/2, W), contiguous; it may be overwritten afterwards.

        The frame lends the picture's memory, and `encode` returns when libx264 has made its own copy.
        """
        # PyAV takes the height of memory that is lent to it for a multiple of four
        lent = self._context.height % 4 == 0
        frame = (VideoFrame.from_numpy_buffer if lent else VideoFrame.from_ndarray)(i420, format="yuv420p")
        frame.pts, frame.time_base = self._next, TIME_BASE
        self._next += 1
        return self._encode(frame)

    def finish(self) -> list[EncodedPacket]:
        return self._encode(None)

    def _encode(self, frame: VideoFrame | None) -> list[EncodedPacket]:
        return [
            EncodedPacket(bytes(packet), packet.pts or 0, packet.dts or 0, packet.is_keyframe)
            for packet in self._context.encode(frame)
        ]


@dataclass(frozen=True)
class VideoFormat:
    width: int
    height: int


class Joiner:
    """Writes the packets of all segments and a ready-made AAC stream into one MP4.

    Use as a context manager: the file appears at `target` when the block ends well, never before.
    """

    def __init__(self, target: Path, size: VideoFormat, sound: Path, metadata: dict[str, str]) -> None:
        self._target = target
        self._part = target.with_name(f".{target.name}.{os.getpid()}.part")
        self._size, self._sound_path, self._metadata = size, sound, metadata

    def __enter__(self) -> "Joiner":
        # use_metadata_tags: keeps tags that are not of QuickTime's own list, such as AIGC
        options = {"movflags": "+faststart+use_metadata_tags"}
        self._out = av.open(str(self._part), "w", format="mp4", options=options)
        self._out.metadata.update(self._metadata)
        self._video = self._out.add_mux_stream(
            "h264", rate=FPS, width=self._size.width, height=self._size.height, time_base=TIME_BASE
        )
        self._sound = av.open(str(self._sound_path))
        self._sound_unit_s = float(self._sound.streams.audio[0].time_base or 0)
        self._sound_stream = self._out.add_stream_from_template(self._sound.streams.audio[0])
        self._sound_packets = self._read_sound()
        self._held = next(self._sound_packets, None)
        return self

    def write(self, packets: list[EncodedPacket]) -> None:
        """Append the packets of the next segment, with the sound that belongs to them."""
        for encoded in packets:
            self._write_sound(until_s=encoded.dts / FPS)
            packet = Packet(encoded.data)
            packet.pts, packet.dts, packet.duration = encoded.pts, encoded.dts, 1
            packet.time_base, packet.is_keyframe = TIME_BASE, encoded.keyframe
            packet.stream = self._video
            self._out.mux(packet)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._write_sound(until_s=None)
            self._sound.close()
            self._out.close()
            if kind is None:
                self._part.replace(self._target)
        finally:
            self._part.unlink(missing_ok=True)

    def _read_sound(self) -> "Iterator[Packet[av.AudioStream]]":
        for packet in self._sound.demux(audio=0):
            if packet.size:
                yield packet

    def _write_sound(self, until_s: float | None) -> None:
        while self._held is not None:
            packet = self._held
            if until_s is not None and (packet.dts or 0) * self._sound_unit_s > until_s:
                return
            packet.stream = self._sound_stream
            self._out.mux(packet)
            self._held = next(self._sound_packets, None)
