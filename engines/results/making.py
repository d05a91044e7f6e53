"""A generated file becomes one of our videos.

H.264 and AAC with the index in front, the visible label, the `AIGC` element, a poster. Streams that are in
order already are copied; a label has to be drawn, and so the picture is encoded anew when there is one.
"""

import hashlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engines.base import (
    Cancelled,
    EngineUnavailableError,
    Progress,
    RenderCancelled,
    RenderResult,
    RenderSpec,
    UnusableResultError,
    machine_trouble,
)
from engines.cores import MAX_RENDER_THREADS, available_cores
from engines.portrait.face.geometry import Rect
from engines.portrait.pixels import U8
from engines.portrait.video.aigc import aigc_metadata
from engines.portrait.video.frames import planes_of
from engines.portrait.video.label import LabelSettings, build_label
from engines.results.proof import TOLERANCE_S, check_length, check_speaks, loudness_of, opened
from engines.results.sound import Sound, read_sound

CLOCK = 90_000
"""Time stamps a second of an encoded picture: every usual frame rate divides it."""
PRESET, CRF = "veryfast", 20
GROUP_FRAMES = 250
MAX_FPS = 120
POSTER_QUALITY = 90


def make_ours(generated: Path, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
    """Prove `generated` to be a video of `spec.audio` and write `spec.output` and `spec.poster`.

    Decodes what others made: call it in a process that may die. Raises `UnusableResultError` with what is
    wrong, and leaves nothing behind then.
    """
    try:
        return _make(generated, spec, progress, cancelled)
    except (MemoryError, OSError) as error:
        raise machine_trouble(error) from error


def _make(generated: Path, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
    expected_s, expected = loudness_of(spec.audio, cancelled)
    with opened(generated) as sounding, opened(generated) as reader:
        sound = read_sound(generated, sounding, cancelled)
        check_length(sound.length_s, expected_s)
        check_speaks(sound.levels, expected)
        picture = _Picture(reader, LabelSettings.from_options(spec.options), spec.threads)
        part = spec.output.with_name(f".{spec.output.name}.{os.getpid()}.part")
        try:
            metadata = aigc_metadata(spec.options, spec.portrait, _digest(spec.audio), spec.seed)
            with _container(part, metadata) as output:
                picture.open(output)
                _join(output, picture.packets(expected_s, progress, cancelled), sound)
            check_length(picture.length_s, expected_s)
            if spec.poster is not None:
                _write_poster(spec.poster, picture.first)
            part.replace(spec.output)
        finally:
            part.unlink(missing_ok=True)
    progress(1.0)
    return RenderResult(
        duration_s=picture.length_s,
        width=picture.width,
        height=picture.height,
        frames=picture.frames,
        fps=round(picture.rate),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _container(path: Path, metadata: dict[str, str]) -> OutputContainer:
    # use_metadata_tags: keeps tags that are not of QuickTime's own list, such as AIGC
    output = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart+use_metadata_tags"})
    output.metadata.update(metadata)
    return output


class _Picture:
    """The pictures of a result, all of them decoded, with the label or as they were."""

    def __init__(self, reader: InputContainer, label: LabelSettings, threads: int) -> None:
        self._reader, self._source = reader, reader.streams.video[0]
        context = self._source.codec_context
        self.width, self.height = context.width & ~1, context.height & ~1
        self._label = build_label(label, self.width, self.height)
        self._copied = self._label is None and context.name == "h264" and context.pix_fmt == "yuv420p"
        self._threads = threads or min(MAX_RENDER_THREADS, available_cores())
        rate = self._source.average_rate or self._source.guessed_rate or Fraction(25)
        self.rate = min(Fraction(rate), Fraction(MAX_FPS)) or Fraction(25)
        self.frames = 0
        self.length_s = 0.0
        self.first: U8 | None = None
        self._start: float | None = None
        self._last_pts = -1

    def open(self, output: OutputContainer) -> None:
        if self._copied:
            self._target = output.add_stream_from_template(self._source)
            return
        self._target = output.add_stream("libx264", rate=self.rate)
        context = self._target.codec_context
        context.width, context.height, context.pix_fmt = self.width, self.height, "yuv420p"
        context.time_base = Fraction(1, CLOCK)
        context.gop_size = GROUP_FRAMES
        context.options = {"preset": PRESET, "crf": str(CRF), "threads": str(self._threads)}

    def packets(
        self, expected_s: float, progress: Progress, cancelled: Cancelled
    ) -> "Iterator[Packet[VideoStream]]":
        """All packets of the result, for the stream that was opened; ends early once it is too long."""
        for packet in self._reader.demux(self._source):
            if cancelled():
                raise RenderCancelled
            for frame in packet.decode():
                encoded = self._frame(frame)
                if self.length_s > expected_s + 2 * TOLERANCE_S:
                    check_length(self.length_s, expected_s)
                if not self._copied:
                    yield from encoded
            if self._copied and packet.size and packet.dts is not None:
                packet.stream = self._target
                yield packet
            progress(min(0.99, self.length_s / max(0.1, expected_s)))
        if not self._copied:
            yield from self._target.encode(None)

    def _frame(self, frame: VideoFrame) -> "list[Packet[VideoStream]]":
        time_s = frame.time
        if time_s is None:
            raise UnusableResultError("result_undecodable")
        self._start = time_s if self._start is None else self._start
        since_s = time_s - self._start
        self.frames += 1
        self.length_s = max(self.length_s, since_s + float(1 / self.rate))
        if self._copied and self.first is not None:
            return []
        pixels: U8 = frame.to_ndarray(format="yuv420p", width=self.width, height=self.height).astype(
            np.uint8, copy=False
        )
        if self._label is not None:
            self._label.apply(planes_of(pixels), Rect(0, 0, self.width, self.height))
        if self.first is None:
            self.first = pixels.copy()
        if self._copied:
            return []
        made = VideoFrame.from_ndarray(pixels, format="yuv420p")
        self._last_pts = max(self._last_pts + 1, round(since_s * CLOCK))
        made.pts, made.time_base = self._last_pts, Fraction(1, CLOCK)
        return self._target.encode(made)


def _join(output: OutputContainer, pictures: "Iterator[Packet[VideoStream]]", sound: Sound) -> None:
    """Both streams, each packet beside what is heard or seen at that time."""
    target = sound.stream_in(output)
    waiting = iter(sound.packets)
    held = next(waiting, None)
    for packet in pictures:
        until_s = float((packet.dts or 0) * (packet.time_base or 0))
        while held is not None and float((held.dts or 0) * (held.time_base or 0)) <= until_s:
            held.stream = target
            output.mux(held)
            held = next(waiting, None)
        output.mux(packet)
    while held is not None:
        held.stream = target
        output.mux(held)
        held = next(waiting, None)


def _write_poster(path: Path, first: U8 | None) -> None:
    """The first picture as a JPEG, renamed into place when whole."""
    if first is None:
        raise UnusableResultError("result_without_picture")
    picture = cv2.cvtColor(np.ascontiguousarray(first), cv2.COLOR_YUV2BGR_I420)
    written, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, POSTER_QUALITY])
    if not written:
        raise EngineUnavailableError("poster_not_encoded")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data.tobytes())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
