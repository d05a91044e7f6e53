"""Decodes one MP3 or WAV stream to 48 kHz mono, packet by packet, and counts what is damaged.

FFmpeg sees only the sound of the given file: the demuxer is fixed before it opens anything, and reads
from a Python file object, so that no playlist can lead it to another file or address, and no tags, which it
would unpack (`sound_view`).
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from .audio_headers import AudioHeader
from .problems import MediaProblem, gettext_noop
from .sound_view import SourceFile

SAMPLE_RATE_HZ = 48_000
_PCM = ("u8", "s16le", "s24le", "s32le", "f32le", "f64le", "alaw", "mulaw")
_CODECS = {"mp3", "mp3float", "adpcm_ms", "adpcm_ima_wav"} | {f"pcm_{kind}" for kind in _PCM}
_FREE_BAD_PACKETS = 3  # a tag, and a frame cut at either end, are no damage

Samples = NDArray[np.int16]


def open_container(file: BinaryIO, header: AudioHeader) -> InputContainer:
    """Open the sound of `file` with the demuxer of its header and no other; raises `audio_unreadable`."""
    try:
        return av.open(
            SourceFile(file, header.view),
            mode="r",
            format=header.format,
            options={"format_whitelist": "mp3,wav", "codec_whitelist": ",".join(sorted(_CODECS))},
            metadata_errors="replace",
        )
    except Exception as error:  # FFmpegError, ValueError, EOFError, …: whatever opening raises
        raise MediaProblem("audio_unreadable") from error


class Decoder:
    """The sound of one container: `blocks()` gives it, the attributes say what it was."""

    def __init__(
        self,
        container: InputContainer,
        *,
        rates_hz: tuple[int, int],
        max_channels: int,
        first_channel: bool = False,
    ) -> None:
        """`rates_hz` are the least and the largest; `first_channel` leaves the others out of the mix.

        Raises `audio_no_stream`, `audio_codec`, `audio_sample_rate` or `audio_channels`.
        """
        if not container.streams.audio:
            raise MediaProblem("audio_no_stream")
        self._container = container
        self._stream: AudioStream = container.streams.audio[0]
        self._rates_hz = rates_hz
        self._max_channels = max_channels
        self._first_channel = first_channel
        self._resampler: AudioResampler | None = None
        self._setup: tuple[str, str, int] | None = None
        self._packets = self._bad_packets = 0
        self._values = self._bad_values = 0
        context = self._stream.codec_context
        # FFmpeg has no decoder for a codec it does not know, and then PyAV no context.
        self.codec: str = getattr(context, "name", gettext_noop("an unknown codec"))
        if self.codec not in _CODECS:
            raise MediaProblem("audio_codec", {"found": self.codec})
        self.rate, self.channels = context.sample_rate, context.layout.nb_channels
        self._check(self.rate, self.channels)

    @property
    def damaged_share(self) -> float:
        """The larger share, 0 to 1, of undecodable packets and of samples that are no numbers."""
        bad = max(0, self._bad_packets - _FREE_BAD_PACKETS)
        return max(bad / max(1, self._packets), self._bad_values / max(1, self._values))

    def blocks(self) -> Iterator[Samples]:
        """Mono 16-bit samples at 48 kHz, in pieces.

        Raises `audio_sample_rate` or `audio_channels` when they change on the way, `audio_unreadable` for
        anything that FFmpeg makes of the bytes and no packet can be blamed for.
        """
        try:
            yield from self._pieces()
        except MediaProblem:
            raise
        except Exception as error:
            raise MediaProblem("audio_unreadable") from error

    def _pieces(self) -> Iterator[Samples]:
        for packet in self._intact_packets():
            for frame in self._frames(packet):
                self._check(frame.sample_rate, frame.layout.nb_channels)
                yield from self._resampled(self._wanted(self._finite(frame)))
        yield from self._resampled(None)

    def _intact_packets(self) -> "Iterator[Packet[AudioStream]]":
        try:
            yield from self._container.demux(self._stream)
        except (av.FFmpegError, ValueError):
            self._bad_packets += 1

    def _frames(self, packet: "Packet[AudioStream]") -> list[AudioFrame]:
        self._packets += 1
        try:
            return packet.decode()
        except (av.FFmpegError, ValueError):
            self._bad_packets += 1
            return []

    def _check(self, rate: int, channels: int) -> None:
        low, high = self._rates_hz
        if not low <= rate <= high:
            raise MediaProblem("audio_sample_rate", {"rate_hz": rate, "min_hz": low, "max_hz": high})
        if channels < 1:
            raise MediaProblem("audio_no_stream")
        if channels > self._max_channels:
            raise MediaProblem("audio_channels", {"channels": channels, "limit": self._max_channels})

    def _resampled(self, frame: AudioFrame | None) -> Iterator[Samples]:
        """Resample `frame`, or what is left when it is None."""
        setup = (frame.format.name, frame.layout.name, frame.sample_rate) if frame else None
        if setup != self._setup:
            # Concatenated MP3s change rate or channels on the way; each part gets its own resampler.
            yield from self._flushed()
        if frame is None or setup is None:
            return
        if self._resampler is None:
            self._resampler, self._setup = AudioResampler("s16", "mono", SAMPLE_RATE_HZ), setup
        # The samples are counted, not timed: a gap in the timestamps must not become silence.
        frame.pts = None
        for result in self._resampler.resample(frame):
            yield _samples(result)

    def _flushed(self) -> Iterator[Samples]:
        resampler, self._resampler, self._setup = self._resampler, None, None
        if resampler is not None:
            for result in resampler.resample(None):
                yield _samples(result)

    def _finite(self, frame: AudioFrame) -> AudioFrame:
        """Replace samples that are no numbers by silence: they would spread through the resampler."""
        if frame.format.name not in ("flt", "fltp", "dbl", "dblp") or self.codec.startswith("mp3"):
            return frame
        values = frame.to_ndarray()
        bad = ~np.isfinite(values)
        self._values += values.size
        count = int(np.count_nonzero(bad))
        if not count:
            return frame
        self._bad_values += count
        return _rebuilt(frame, np.where(bad, np.zeros_like(values), values), frame.layout.name)

    def _wanted(self, frame: AudioFrame) -> AudioFrame:
        """The first channel alone, where the caller asked for it."""
        if not self._first_channel or frame.layout.nb_channels == 1:
            return frame
        values = frame.to_ndarray()
        if not frame.format.is_planar:
            values = values.reshape(-1, frame.layout.nb_channels).T
        return _rebuilt(frame, np.ascontiguousarray(values[:1]), "mono")


def _samples(frame: AudioFrame) -> Samples:
    """The samples of a mono s16 frame; the array keeps the frame's memory alive."""
    return np.frombuffer(memoryview(frame.planes[0]), np.int16, frame.samples)


def _rebuilt(frame: AudioFrame, values: NDArray[Any], layout: str) -> AudioFrame:
    result = AudioFrame.from_ndarray(values, frame.format.name, layout)
    result.sample_rate = frame.sample_rate
    return result
