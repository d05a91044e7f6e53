"""From a recording to what the engine needs of it: a viseme track and an AAC stream.

Both come from one decode, so that sound and lips cannot drift apart even when a damaged file makes the
decoder drop pieces. Both depend on the recording alone and are kept in a folder, so that the items of a
batch pay for them once; a lock per recording lets only one process compute them.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from filelock import FileLock

from videos.engines.base import Cancelled, RenderCancelled, UnusableAudioError
from videos.engines.portrait.pixels import F32
from videos.engines.portrait.speech import analyse
from videos.engines.portrait.speech.track import VisemeTrack

FPS = 25
SOUND_RATE = 48_000
"""Sampling rate of the video's sound, mono."""
SPEECH_RATE = 16_000
SOUND_BIT_RATE = 96_000
MIN_S, MAX_S = 0.2, 305.0
"""Shortest and longest recording; a little wider than the platform's own limits."""
FORMATS = "wav,mp3,flac,ogg,mov,aac,w64,aiff"
"""Container formats the decoder may use: none of them can make it open another file."""
CACHE_VERSION = "1"
"""Part of the cache's keys; raised when what is cached changes."""
LOCK_POLL_S = 0.2


@dataclass(frozen=True)
class PreparedAudio:
    """The viseme `track` and the path of an MP4 that holds the recording as AAC."""

    track: VisemeTrack
    sound: Path


@contextmanager
def prepared_audio(source: Path, cache_dir: Path | None, cancelled: Cancelled) -> Iterator[PreparedAudio]:
    """Prepare the recording `source`, from `cache_dir` where it has been prepared before.

    Without a `cache_dir` the work lies in a temporary folder that goes away with the context.
    Raises `UnusableAudioError` and `RenderCancelled`.
    """
    if cache_dir is not None:
        cache_dir.mkdir(parents=True, exist_ok=True)
        yield _prepare(source, cache_dir, cancelled)
        return
    folder = Path(tempfile.mkdtemp(prefix="portrait-"))
    try:
        yield _prepare(source, folder, cancelled)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(source: Path, folder: Path, cancelled: Cancelled) -> PreparedAudio:
    key = _content_key(source)
    sound, visemes = folder / f"{key}.sound.mp4", folder / f"{key}.visemes.npz"
    ready = _load(sound, visemes)
    if ready is not None:
        return ready
    lock = FileLock(folder / f"{key}.lock")
    while True:
        try:
            lock.acquire(timeout=LOCK_POLL_S)
            break
        except TimeoutError:
            if cancelled():
                raise RenderCancelled("The render was cancelled.") from None
    try:
        ready = _load(sound, visemes)  # another process may have finished it meanwhile
        if ready is None:
            ready = _compute(source, sound, visemes)
        return ready
    finally:
        lock.release()


def _content_key(source: Path) -> str:
    try:
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnusableAudioError("The recording cannot be read.") from error
    return f"{digest[:40]}-{CACHE_VERSION}"


def _load(sound: Path, visemes: Path) -> PreparedAudio | None:
    if not sound.exists():
        return None
    try:
        return PreparedAudio(VisemeTrack.load(visemes), sound)
    except (OSError, ValueError, KeyError):
        return None


def _compute(source: Path, sound: Path, visemes: Path) -> PreparedAudio:
    unfinished = sound.with_name(f"{sound.name}.{os.getpid()}.part")
    try:
        samples = _decode(source, unfinished)
        track = analyse(samples, FPS)
        part = visemes.with_name(f"{visemes.name}.{os.getpid()}.part")
        with part.open("wb") as file:
            track.save(file)
        part.replace(visemes)
        unfinished.replace(sound)  # last: its presence says that both are there
    finally:
        unfinished.unlink(missing_ok=True)
    return PreparedAudio(track, sound)


def _decode(source: Path, sound: Path) -> F32:
    """Decode `source` once: write it as AAC to `sound`, return it as mono SPEECH_RATE samples (n,)."""
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        with av.open(str(source), options=options) as reader:
            if not reader.streams.audio:
                raise UnusableAudioError("The file contains no sound.")
            with av.open(str(sound), "w", format="mp4") as writer:
                pieces = _transcode(_frames(reader), writer)
    except av.error.FFmpegError as error:
        raise UnusableAudioError("The recording cannot be decoded.") from error
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    length_s = len(samples) / SPEECH_RATE
    if not MIN_S <= length_s <= MAX_S:
        raise UnusableAudioError(
            f"The recording lasts {length_s:.1f} s; between {MIN_S} s and {MAX_S:.0f} s can be used."
        )
    return samples.astype(np.float32) / np.float32(32768)


def _frames(reader: av.container.InputContainer) -> Iterator[AudioFrame]:
    """Decoded frames; damaged packets are skipped."""
    for packet in reader.demux(reader.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            continue
        for frame in frames:
            if isinstance(frame, AudioFrame):
                yield frame


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


def _transcode(frames: Iterator[AudioFrame], writer: av.container.OutputContainer) -> list[np.ndarray]:
    """Encode `frames` into `writer`; return the pieces (n,) int16 for the analysis."""
    stream = writer.add_stream("aac", rate=SOUND_RATE, layout="mono", bit_rate=SOUND_BIT_RATE)
    stream.options = {"aac_coder": "fast"}
    to_sound, to_speech = _Resampler(SOUND_RATE), _Resampler(SPEECH_RATE)
    to_encoder = AudioResampler(format="fltp", layout="mono", rate=SOUND_RATE, frame_size=1024)
    position, total, pieces = 0, 0, []

    def encode(frame: AudioFrame | None) -> None:
        nonlocal position
        for block in to_encoder.resample(frame):
            block.pts = position
            position += block.samples
            writer.mux(stream.encode(block))

    for frame in _and_then_none(frames):
        if frame is not None:
            frame.pts = None  # gaps and jumps in a damaged file's clock must not reach the resampler
            total += frame.samples
            if total > (MAX_S + 60) * frame.sample_rate:
                raise UnusableAudioError(f"The recording is longer than {MAX_S:.0f} s.")
        for block in to_sound.push(frame):
            block.pts = None
            encode(block)
            for speech in to_speech.push(block):
                pieces.append(speech.to_ndarray().reshape(-1).copy())
    encode(None)
    pieces.extend(speech.to_ndarray().reshape(-1).copy() for speech in to_speech.push(None))
    writer.mux(stream.encode(None))
    return pieces


def _and_then_none(frames: Iterator[AudioFrame]) -> Iterator[AudioFrame | None]:
    """The frames, then None, which flushes a resampler."""
    yield from frames
    yield None
