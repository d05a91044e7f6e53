"""Making clean synthetic speech sound like recordings of many people in many rooms."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, fftconvolve, resample, sosfilt

from engines.portrait.speech.constants import SAMPLE_RATE
from workshop.speech_training.labels import Label, with_closures

Recording = tuple[NDArray[np.float32], list[Label]]
"""Mono 16 kHz samples and their labels."""

_CUT_AT = {"p": 3.0, "m": 3.0, "t": 1.0, "k": 1.0, "n": 1.0, "s": 1.0, "f": 1.0, "l": 1.0}
"""At which sounds recordings are cut, and how readily."""
_BURST_S = 0.02
_CODED_LINES = 8
"""Lines of the spectrum that share the level of their errors."""


def cut(pcm: NDArray[np.float32], known: list[Label], rng: np.random.Generator) -> list[Recording]:
    """A recording in two parts, parted within a consonant so that the second begins with what is left of it.

    Announcements are cut like that: of a "p" only the burst remains. Half of the time a rest precedes it.
    """
    sounds = with_closures(known)
    inner = [
        sound
        for sound in sounds
        if sound.name in _CUT_AT and 0.3 < sound.start_s < len(pcm) / SAMPLE_RATE - 0.5
    ]
    if not inner:
        return [(pcm, known)]
    weight = np.array([_CUT_AT[sound.name] for sound in inner])
    chosen = inner[int(rng.choice(len(inner), p=weight / weight.sum()))]
    share = rng.uniform(0.3, 1.0) if chosen.name in "ptk" else rng.uniform(0.0, 0.8)
    moment = chosen.start_s + share * max(0.0, chosen.end_s - chosen.start_s - _BURST_S)
    sample = int(moment * SAMPLE_RATE)
    before = [sound._replace(end_s=min(sound.end_s, moment)) for sound in sounds if sound.start_s < moment]
    rest_s, level = (rng.uniform(0.1, 0.6), 10 ** rng.uniform(-4.5, -3)) if rng.random() < 0.5 else (0.0, 0.0)
    rest = rng.normal(0, level if rng.random() < 0.5 else 0, int(rest_s * SAMPLE_RATE)).astype(np.float32)
    after = [
        sound._replace(start_s=max(0.0, sound.start_s - moment) + rest_s, end_s=sound.end_s - moment + rest_s)
        for sound in sounds
        if sound.end_s > moment
    ]
    if rest_s:
        closing_s = rest_s - rng.uniform(0.03, 0.07)
        after[:0] = [Label(0.0, closing_s, "sil"), Label(closing_s, rest_s, chosen.name)]
    return [(pcm[:sample], before), (np.concatenate([rest, pcm[sample:]]), after)]


def coded(pcm: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Coarsely coded sound: errors in every band of a short-time spectrum, 6 to 22 dB below what is there.

    They spread over a whole block and so precede the bursts, as those of codecs do.
    """
    size = int(rng.choice([256, 512]))
    hop, taper = size // 2, np.sin(np.pi * (np.arange(size) + 0.5) / size).astype(np.float32)
    padded = np.pad(pcm, (size, size + -len(pcm) % hop))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    spectrum = np.fft.rfft(blocks * taper, axis=1)
    level = uniform_filter1d(np.abs(spectrum), _CODED_LINES, axis=1) * 10 ** (-rng.uniform(6, 22) / 20)
    if rng.random() < 0.5:
        step = np.maximum(level * np.sqrt(12), 1e-9)
        spectrum = (np.round(spectrum.real / step) + 1j * np.round(spectrum.imag / step)) * step
    else:
        spectrum += level * (rng.normal(size=spectrum.shape) + 1j * rng.normal(size=spectrum.shape))
    result = np.zeros(len(padded), np.float32)
    for index, block in enumerate(np.fft.irfft(spectrum, size, axis=1) * taper):
        result[index * hop : index * hop + size] += block
    return result[size : size + len(pcm)]


def vary(pcm: NDArray[np.float32], rng: np.random.Generator) -> tuple[NDArray[np.float32], float]:
    """A variant of a recording and the factor by which it became longer.

    Resampling moves pitch and formants together, as a larger or smaller speaker would.
    """
    factor = float(rng.uniform(0.8, 1.18))
    varied = resample(pcm, max(1, round(len(pcm) * factor))).astype(np.float32)
    if rng.random() < 0.4:
        varied = _in_room(varied, rng)
    if rng.random() < 0.3:
        cutoff = float(rng.uniform(3200, 7500))
        varied = sosfilt(butter(6, cutoff, fs=SAMPLE_RATE, output="sos"), varied).astype(np.float32)
    if rng.random() < 0.7:
        varied = _with_noise(varied, rng)
    if rng.random() < 0.15:
        peak = np.abs(varied).max() + 1e-9
        varied = np.clip(varied, -peak * rng.uniform(0.2, 0.6), peak * rng.uniform(0.2, 0.6))
    return (varied * np.float32(10 ** rng.uniform(-1.5, 0.3))).astype(np.float32), factor


def _in_room(pcm: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Exponentially decaying reverberation behind the direct sound."""
    decay_s = rng.uniform(0.05, 0.4)
    times = np.arange(int(decay_s * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.normal(size=len(times)) * 10 ** (-3 * times / decay_s)
    tail *= rng.uniform(0.2, 0.8) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    result: NDArray[np.float32] = fftconvolve(pcm, tail)[: len(pcm)].astype(np.float32)
    return result


def _with_noise(pcm: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """White to brown noise, 5 to 40 dB below the speech."""
    spectrum = np.fft.rfft(rng.normal(size=len(pcm)))
    slope = rng.uniform(0, 1.2)
    spectrum /= np.maximum(np.arange(len(spectrum)), len(spectrum) / 160) ** slope
    noise = np.fft.irfft(spectrum, len(pcm))
    level = np.sqrt((pcm**2).mean() / ((noise**2).mean() + 1e-12)) * 10 ** (-rng.uniform(5, 40) / 20)
    return (pcm + level * noise).astype(np.float32)
