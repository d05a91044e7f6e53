"""Signals and recordings whose right answer is known."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
MEDIA = Path(__file__).parents[3] / "media"

Samples = NDArray[np.float32]


def silence(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * RATE), np.float32)


def noise(seconds: float, level: float, slope: float = 0.0, seed: int = 0) -> Samples:
    """Steady noise of an RMS level; slope 0 is white, 1 is brown."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=count))
    spectrum /= np.maximum(np.arange(len(spectrum)), 20) ** slope
    samples = np.fft.irfft(spectrum, count)
    scaled: Samples = (samples * level / np.sqrt((samples**2).mean())).astype(np.float32)
    return scaled


def tone(seconds: float, hertz: float, level: float) -> Samples:
    """A sine that fades in and out within 10 ms."""
    times = np.arange(round(seconds * RATE)) / RATE
    fade = np.clip(np.minimum(times, seconds - times) / 0.01, 0, 1)
    return (level * fade * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def recording(name: str) -> Samples:
    """One of the 16 kHz recordings in tests/media."""
    with wave.open(str(MEDIA / name), "rb") as file:
        assert file.getframerate() == RATE
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return samples.astype(np.float32) / np.float32(32768)


SENTENCE = "speech-en-librivox-0930.wav"
"""He might even have been made amiable himself."""

SENTENCE_LIPS_CLOSED_S = (
    (0.40, 0.48),  # might
    (1.07, 1.14),  # been
    (1.33, 1.40),  # made
    (1.82, 1.89),  # amiable, m
    (2.03, 2.11),  # amiable, b
    (2.33, 2.42),  # himself
)
"""When lips are closed in `SENTENCE`, by a forced alignment of its words."""

LONGER_SENTENCE = "speech-en-librivox-0870.wav"
"""And Mister John Dashwood had then leisure to consider how much there might be prudently in his
power to do for them."""

LONGER_SENTENCE_LIPS_CLOSED_S = (
    (0.38, 0.42),  # Mister
    (4.01, 4.11),  # much
    (4.53, 4.63),  # might
    (4.80, 4.85),  # be
    (4.95, 5.06),  # prudently
    (5.76, 5.81),  # power
    (6.75, 6.80),  # them
)
"""The same of `LONGER_SENTENCE`."""
