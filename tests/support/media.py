"""Small real files: an image and a sound that intake accepts, and the portrait and speech of tests/media."""

import io
import wave
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

MEDIA = Path(__file__).resolve().parents[1] / "media"
PORTRAIT = MEDIA / "portrait-astronaut.jpg"
SPEECH = MEDIA / "speech-en-librivox-0930.wav"
LONG_SPEECH = MEDIA / "speech-en-librivox-0870.wav"


@cache
def image_bytes(side: int = 160, kind: str = "JPEG") -> bytes:
    """A square picture without a face; intake looks for one only with FACE_CHECK."""
    gradient = np.linspace(0, 255, side, dtype=np.uint8)
    pixels = np.stack([np.tile(gradient, (side, 1)), np.tile(gradient, (side, 1)).T], axis=-1)
    picture = Image.fromarray(np.concatenate([pixels, 255 - pixels[..., :1]], axis=-1), "RGB")
    stream = io.BytesIO()
    picture.save(stream, kind)
    return stream.getvalue()


@cache
def wav_bytes(duration_s: float = 0.6, rate_hz: int = 16_000) -> bytes:
    """A 16-bit mono WAV with a tone of 220 Hz."""
    times = np.arange(round(duration_s * rate_hz)) / rate_hz
    samples = (8000 * np.sin(2 * np.pi * 220 * times)).astype("<i2")
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.tobytes())
    return stream.getvalue()


@cache
def small_portrait() -> bytes:
    """The face alone, so that a video takes a second or two."""
    stream = io.BytesIO()
    with Image.open(PORTRAIT) as picture:
        picture.crop((96, 10, 352, 266)).save(stream, "JPEG")
    return stream.getvalue()


@cache
def short_speech(duration_s: float = 1.2) -> bytes:
    stream = io.BytesIO()
    with wave.open(str(SPEECH)) as source, wave.open(stream, "wb") as target:
        target.setparams(source.getparams())
        target.writeframes(source.readframes(int(duration_s * source.getframerate())))
    return stream.getvalue()
