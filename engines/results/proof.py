"""Whether a file is the video that was asked for: it decodes, it is as long as the recording, it speaks.

No engine's word is taken for that: some report success without having made anything.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from numpy.typing import NDArray

from engines.base import (
    RenderCancelled,
    UnusableAudioError,
    UnusableResultError,
    is_for_want_of_room,
)

CONTAINERS = "mov,matroska,avi,mpegts"
"""Formats a result may have: none of them can make the decoder open another file."""
SOUNDS = "wav,mp3,flac,ogg,mov,aac,w64,aiff"
TOLERANCE_S = 0.5
MAX_SIDE_PX = 4096
RATE = 16_000
WINDOW_S = 0.5
LOUD = 0.01
"""Level (of 1) above which a stretch of the recording counts as sound, about -40 dB."""
QUIET_SHARE = 0.02
"""Level, as a share of the recording's, below which the result is silent there: 34 dB less."""
MOST_SILENT = 0.5
"""Share of the recording's loud stretches that may be silent in the result: delays and gaps of a second."""

Levels = NDArray[np.float64]


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """A result, which has picture and sound; raises `UnusableResultError` for whatever fails inside, too.

    OSError where that is for want of room: the result may be a good one, and paid for.
    """
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    try:
        with av.open(str(path), options=options) as reader:
            if not reader.streams.video:
                raise UnusableResultError("result_without_picture")
            if not reader.streams.audio:
                raise UnusableResultError("result_without_sound")
            context = reader.streams.video[0].codec_context
            if not 0 < max(context.width, context.height) <= MAX_SIDE_PX:
                raise UnusableResultError("result_undecodable")
            yield reader
    except (av.error.FFmpegError, ValueError) as error:
        if is_for_want_of_room(error):
            raise
        raise UnusableResultError("result_undecodable") from error


@dataclass
class Loudness:
    """Collects the level of each stretch of a sound, from frames of any format."""

    def __post_init__(self) -> None:
        self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
        self._pieces: list[NDArray[np.int16]] = []

    def add(self, frame: AudioFrame | None) -> None:
        if frame is not None:
            frame.pts = None
        for piece in self._resampler.resample(frame):
            self._pieces.append(piece.to_ndarray().reshape(-1).astype(np.int16))

    def finish(self) -> tuple[float, Levels]:
        """Length in seconds, and the root mean square (0 to 1) of each WINDOW_S."""
        self.add(None)
        samples = np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16)
        window = round(RATE * WINDOW_S)
        whole = samples[: len(samples) // window * window].reshape(-1, window).astype(np.float64) / 32768
        return len(samples) / RATE, np.sqrt(np.mean(whole**2, axis=1)) if len(whole) else np.zeros(0)


def loudness_of(recording: Path, cancelled: Callable[[], bool]) -> tuple[float, Levels]:
    """Length and levels of the recording; raises `UnusableAudioError`."""
    loudness = Loudness()
    options = {"format_whitelist": SOUNDS, "protocol_whitelist": "file"}
    try:
        with av.open(str(recording), options=options) as reader:
            if not reader.streams.audio:
                raise UnusableAudioError("recording_without_sound")
            for frame in reader.decode(audio=0):
                if cancelled():
                    raise RenderCancelled
                loudness.add(frame)
    except av.error.FFmpegError as error:
        if is_for_want_of_room(error):
            raise
        raise UnusableAudioError("recording_undecodable") from error
    return loudness.finish()


def check_length(length_s: float, expected_s: float) -> None:
    if abs(length_s - expected_s) > TOLERANCE_S:
        raise UnusableResultError("result_length", length=round(length_s, 1), expected=round(expected_s, 1))


def check_speaks(levels: Levels, expected: Levels) -> None:
    """Most of what is loud in the recording has to be heard in the result."""
    count = min(len(levels), len(expected))
    wanted = expected[:count] > LOUD
    if not wanted.any():
        return
    silent = levels[:count][wanted] < expected[:count][wanted] * QUIET_SHARE
    if silent.mean() > MOST_SILENT:
        raise UnusableResultError("result_silent")
