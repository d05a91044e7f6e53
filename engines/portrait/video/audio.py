"""Decoding a recording: samples for the analysis, and an AAC stream for the video.

Both decode for themselves, so that they can run side by side. They do it alike, so that sound and lips cannot
drift apart even where a damaged file makes the decoder drop pieces.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from engines.base import RenderCancelled, UnusableAudioError, is_for_want_of_room
from engines.portrait.pixels import F32

SOUND_RATE = 48_000
"""Sampling rate of the video's sound, mono."""
SPEECH_RATE = 16_000
SOUND_BIT_RATE = 96_000
MIN_S, MAX_S = 0.2, 305.0
"""Shortest and longest recording; a little wider than the platform's own limits."""
FORMATS = "wav,mp3,flac,ogg,mov,aac,w64,aiff"
"""Container formats the decoder may use: none of them can make it open another file."""

Stopped = Callable[[], bool]


def read_speech(source: Path, stopped: Stopped) -> F32:
    """The recording `source` as mono SPEECH_RATE samples (n,).

    Asks `stopped` now and then and raises `RenderCancelled` once it answers True. Raises
    `UnusableAudioError` for what cannot be decoded or is too short or too long.
    """
    to_speech = _Resampler(SPEECH_RATE)
    with _sound_of(source, stopped) as blocks:
        pieces = [
            speech.to_ndarray().reshape(-1).copy() for block in blocks for speech in to_speech.push(block)
        ]
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    length_s = len(samples) / SPEECH_RATE
    if not MIN_S <= length_s <= MAX_S:
        raise UnusableAudioError("recording_length", length=round(length_s, 1), min=MIN_S, max=round(MAX_S))
    return samples.astype(np.float32) / np.float32(32768)


def write_sound(source: Path, target: Path, stopped: Stopped) -> None:
    """Write the recording `source`, however short, as AAC into an MP4 at `target`.

    Raises as `read_speech` does.
    """
    to_encoder = AudioResampler(format="fltp", layout="mono", rate=SOUND_RATE, frame_size=1024)
    with _sound_of(source, stopped) as blocks, av.open(str(target), "w", format="mp4") as writer:
        stream = writer.add_stream("aac", rate=SOUND_RATE, layout="mono", bit_rate=SOUND_BIT_RATE)
        stream.options = {"aac_coder": "fast"}
        position = 0
        for block in blocks:
            for piece in to_encoder.resample(block):
                piece.pts = position
                position += piece.samples
                writer.mux(stream.encode(piece))
        writer.mux(stream.encode(None))


@contextlib.contextmanager
def _sound_of(source: Path, stopped: Stopped) -> Iterator[Iterator[AudioFrame | None]]:
    """The recording in blocks of mono 16-bit SOUND_RATE samples without times; then None, to flush with."""
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        opened = av.open(str(source), options=options)
    except av.error.FFmpegError as error:
        if is_for_want_of_room(error):
            raise
        raise UnusableAudioError("recording_unreadable") from error
    try:
        with opened as reader:
            if not reader.streams.audio:
                raise UnusableAudioError("recording_without_sound")
            yield _resampled(_frames(reader, stopped))
    except av.error.FFmpegError as error:
        if is_for_want_of_room(error):  # whoever takes the blocks may write them
            raise
        raise UnusableAudioError("recording_undecodable") from error


def _frames(reader: av.container.InputContainer, stopped: Stopped) -> Iterator[AudioFrame]:
    """Decoded frames; damaged packets are skipped."""
    for packet in reader.demux(reader.streams.audio[0]):
        if stopped():
            raise RenderCancelled
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            continue
        for frame in frames:
            if isinstance(frame, AudioFrame):
                yield frame


def _resampled(frames: Iterator[AudioFrame]) -> Iterator[AudioFrame | None]:
    to_sound, total = _Resampler(SOUND_RATE), 0
    for frame in frames:
        frame.pts = None  # gaps and jumps in a damaged file's clock must not reach the resampler
        total += frame.samples
        if total > (MAX_S + 60) * frame.sample_rate:
            raise UnusableAudioError("recording_too_long", max=round(MAX_S))
        yield from _without_times(to_sound.push(frame))
    yield from _without_times(to_sound.push(None))
    yield None


def _without_times(blocks: list[AudioFrame]) -> list[AudioFrame]:
    for block in blocks:
        block.pts = None
    return blocks


class _Resampler:
    """Mono 16-bit at one rate, whatever comes in; survives a change of format in mid-stream."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._inner = self._new()

    def _new(self) -> AudioResampler:
        return AudioResampler(format="s16", layout="mono", rate=self._rate)

    def push(self, frame: AudioFrame | None) -> list[AudioFrame]:
        try:
            return self._inner.resample(frame)
        except ValueError:
            self._inner = self._new()
            return self._inner.resample(frame)
