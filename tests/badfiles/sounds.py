"""Builders of recordings, whole and broken."""

import io
import struct
import wave
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from . import raw
from .pictures import portrait

_SPEECH = Path(__file__).parents[1] / "media" / "speech-en-librivox-0930.wav"
PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")
FLOAT_GUID = bytes.fromhex("0300000000001000800000aa00389b71")


def tone(seconds: float, rate: int = 16_000, level: float = 0.5) -> NDArray[np.float64]:
    """A 220 Hz sine, -1 to 1."""
    return level * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)


def pcm16(values: NDArray[np.float64]) -> bytes:
    """Little-endian 16-bit samples."""
    return (np.clip(values, -1, 1) * 32767).astype("<i2").tobytes()


def tone_wav(seconds: float, rate: int = 16_000, level: float = 0.5) -> bytes:
    """A plain 16-bit mono WAV."""
    return raw.wav(pcm16(tone(seconds, rate, level)), rate=rate)


def stereo_wav(left: float, right: float) -> bytes:
    """One second of the tone at two levels; a negative one is in opposite phase."""
    values = np.stack([tone(1, level=left), tone(1, level=right)], axis=1)
    return raw.wav(pcm16(values.reshape(-1)), rate=16_000, channels=2)


def wav8() -> bytes:
    """8 bits, unsigned."""
    values = (tone(1, level=0.5) * 127 + 128).astype(np.uint8)
    return raw.wav(values.tobytes(), rate=16_000, bits=8)


def wav24(*, extensible: bool = False) -> bytes:
    """24 bits, plain or behind WAVE_FORMAT_EXTENSIBLE."""
    wide = (tone(1) * 8_388_607).astype("<i4").tobytes()
    packed = b"".join(wide[i : i + 3] for i in range(0, len(wide), 4))
    if extensible:
        return raw.wav(packed, rate=16_000, bits=24, tag=0xFFFE, extensible=PCM_GUID)
    return raw.wav(packed, rate=16_000, bits=24)


def wav_float(bits: int = 32, nan_share: float = 0.0) -> bytes:
    """Floats, with that share of them at regular places no numbers."""
    values = tone(1).astype(f"<f{bits // 8}")
    if nan_share:
        values[:: round(1 / nan_share)] = np.nan
    return raw.wav(values.tobytes(), rate=16_000, bits=bits, tag=3)


@cache
def speech_wav() -> bytes:
    """Real speech: 16 kHz mono, 3.29 s."""
    return _SPEECH.read_bytes()


@cache
def encoded(container: str, codec: str, seconds: float = 0.0) -> bytes:
    """Real speech, or `seconds` of the tone, in another format; with its Xing frame where MP3 has one."""
    if seconds:
        rate, samples = 48_000, (tone(seconds, 48_000) * 32767).astype(np.int16)
    else:
        with wave.open(io.BytesIO(speech_wav())) as file:
            rate, samples = file.getframerate(), np.frombuffer(file.readframes(-1), np.int16)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = cast("AudioStream", output.add_stream(codec, rate=rate, layout="mono"))
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format, "mono", rate, frame_size=stream.codec_context.frame_size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def mp3() -> bytes:
    """Real speech as MP3."""
    return encoded("mp3", "libmp3lame")


def bare_mp3() -> bytes:
    """The MP3's frames without tags and without the Xing frame: what a recorder streams."""
    frames = frame_offsets(mp3())
    return mp3()[frames[1] :]


def frame_offsets(data: bytes) -> list[int]:
    """Where the frames of our own MP3 begin: they share their first two header bytes."""
    start = data.index(b"\xff\xf3") if b"\xff\xf3" in data else data.index(b"\xff\xfb")
    mark = data[start : start + 2]
    offsets, at = [], start
    while 0 <= at < len(data):
        offsets.append(at)
        at = data.find(mark, at + 24)
    return offsets


def mp3_with_garbage(share: float) -> bytes:
    """Every so many frames replaced by bytes that are no MP3."""
    data, offsets = bytearray(bare_mp3()), frame_offsets(bare_mp3())
    step = max(1, round(1 / share))
    for first, second in list(pairwise(offsets))[5::step]:
        data[first:second] = b"\x55" * (second - first)
    return bytes(data)


def video_only() -> bytes:
    """An MP4 with a picture track and no sound."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(5):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def tagged_mp3() -> bytes:
    """An MP3 behind a 2 MB tag with a cover picture."""
    return raw.id3(raw.id3_picture(portrait() + bytes(2_000_000))) + mp3()


def mp3_before_a_lying_ape() -> bytes:
    """An MP3 whose APE tag claims more bytes than there are."""
    return mp3() + b"APETAGEX" + struct.pack("<IIII", 2000, 0x7FFFFFFF, 1, 0) + bytes(8)


def hum(level: float) -> bytes:
    """Two seconds of the noise of an idle input, at this RMS."""
    noise = np.random.default_rng(3).normal(0, level, 32_000)
    return raw.wav(pcm16(noise), rate=16_000)


def offset_only() -> bytes:
    """A constant voltage: large samples, no sound."""
    return raw.wav(struct.pack("<h", 12_000) * 32_000, rate=16_000)
