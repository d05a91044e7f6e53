"""Videos as engines make them, small and quick; and the recordings they are made of."""

import wave
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

RATE = 48_000


def write_speech(path: Path, seconds: float, *, level: float = 0.2) -> Path:
    """A recording as the platform hands it over: 48 kHz mono 16 bit."""
    times = np.arange(round(seconds * RATE)) / RATE
    samples = level * np.sin(2 * np.pi * 220 * times) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * times))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def write_film(
    path: Path,
    seconds: float,
    *,
    sound_s: float | None = None,
    codec: str = "libx264",
    sound: str | None = "aac",
    level: float = 0.2,
    fps: int = 16,
    size: tuple[int, int] = (96, 128),
) -> Path:
    """A grey film with a tone. The index is at its end, as engines leave it."""
    with av.open(str(path), "w") as writer:
        picture = cast("av.VideoStream", writer.add_stream(codec, rate=fps))
        picture.width, picture.height = size
        picture.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        speech = cast("av.AudioStream", writer.add_stream(sound, rate=RATE, layout="mono")) if sound else None
        for index in range(round(seconds * fps)):
            frame = VideoFrame.from_ndarray(
                np.full((size[1], size[0], 3), 60 + index % 40, np.uint8), format="rgb24"
            )
            frame.pts, frame.time_base = index, Fraction(1, fps)
            writer.mux(picture.encode(frame))
        writer.mux(picture.encode(None))
        if speech is not None:
            _write_tone(writer, speech, seconds if sound_s is None else sound_s, level)
    return path


def _write_tone(
    writer: av.container.OutputContainer, speech: av.AudioStream, seconds: float, level: float
) -> None:
    total = round(seconds * RATE)
    tone = (level * np.sin(2 * np.pi * 220 * np.arange(total) / RATE) * 32767).astype(np.int16)
    for start in range(0, total, 1024):
        block = np.ascontiguousarray(tone[start : start + 1024].reshape(1, -1))
        frame = AudioFrame.from_ndarray(block, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        writer.mux(speech.encode(frame))
    writer.mux(speech.encode(None))
