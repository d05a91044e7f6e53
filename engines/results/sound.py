"""The sound of a result as AAC packets: as they are where they are AAC, else encoded."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from engines.base import Cancelled, RenderCancelled
from engines.results.proof import Levels, Loudness, opened

RATE = 48_000
BIT_RATE = 128_000
COPIED = "aac"


@dataclass
class Sound:
    """All packets, and what was learned by decoding them. Small: a minute is a megabyte."""

    packets: "list[Packet[AudioStream]]"
    length_s: float
    levels: Levels
    source: InputContainer | None
    """Kept open while its packets are written: they name its stream."""

    def stream_in(self, output: OutputContainer) -> AudioStream:
        if self.source is not None:
            return output.add_stream_from_template(self.source.streams.audio[0])
        return output.add_stream("aac", rate=RATE, layout="mono", bit_rate=BIT_RATE)


def read_sound(path: Path, keep_open: InputContainer, cancelled: Cancelled) -> Sound:
    """Decode the sound of the result at `path`; `keep_open` is another opening of it."""
    loudness = Loudness()
    packets: list[Packet[AudioStream]] = []
    copied = keep_open.streams.audio[0].codec_context.name == COPIED
    with opened(path) as reader:
        encoder = _Encoder()
        for packet in reader.demux(audio=0):
            if cancelled():
                raise RenderCancelled
            for frame in packet.decode():
                if not copied:
                    packets += encoder.add(frame)
                loudness.add(frame)
        if not copied:
            packets += encoder.finish()
    if copied:
        packets = [packet for packet in keep_open.demux(audio=0) if packet.size]
    length_s, levels = loudness.finish()
    return Sound(packets, length_s, levels, keep_open if copied else None)


class _Encoder:
    """Any sound to mono AAC, gaps closed."""

    def __init__(self) -> None:
        self._resampler = AudioResampler(format="fltp", layout="mono", rate=RATE, frame_size=1024)
        context = av.CodecContext.create("aac", "w")
        context.sample_rate, context.layout, context.format = RATE, "mono", "fltp"
        context.bit_rate, context.time_base = BIT_RATE, Fraction(1, RATE)
        self._context = context
        self._position = 0

    def add(self, frame: AudioFrame | None) -> "list[Packet[AudioStream]]":
        if frame is not None:
            frame.pts = None
        made: list[Packet[AudioStream]] = []
        for piece in self._resampler.resample(frame):
            piece.pts, piece.time_base = self._position, Fraction(1, RATE)
            self._position += piece.samples
            made += self._context.encode(piece)
        return made

    def finish(self) -> "list[Packet[AudioStream]]":
        return [*self.add(None), *self._context.encode(None)]
