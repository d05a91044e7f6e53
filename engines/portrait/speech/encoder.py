"""What a recording sounds like to a network that has heard 680,000 hours of speech in 99 languages.

The first layers of the encoder of Whisper "base" (A. Radford et al., "Robust speech recognition via
large-scale weak supervision", ICML 2023; MIT licence), run with NumPy alone. What they answer separates
sounds far better than a spectrum does, whoever speaks and in whatever language; `recogniser` tells from it
which sound it is. `training/whisper.py` made `encoder.npz` of the published weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from engines.portrait.speech.constants import HOP, SAMPLE_RATE, WINDOW

BANDS = 80
WEIGHTS = Path(__file__).with_name("encoder.npz")
"""The weights in use."""

_CORE = 600
"""Mel frames encoded at a time, on either side of which it hears `_MARGIN` more: 6 s. The network was made
for pieces of 30 s, but each frame looks at all others, which costs the more the longer the piece is."""
_MARGIN = 100
"""Mel frames beside a piece, so that no sound is heard without what surrounds it."""
_PIECES_AT_ONCE = 4
"""Pieces that share one unpacking of the weights; bounds the memory."""
_RANGE = 7.5
"""Powers of ten below the loud sounds from which on all is silence; Whisper: 8 below the very loudest."""
_LOUDEST = 1.3
"""What the loudest sounds are as an input; speech at Whisper's own scale reaches about as much."""
_HEADS = 8
_EPSILON = 1e-5

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class _Packed:
    """Packed weights of a layer, unpacked when it is its turn: 13 MB instead of 3."""

    packed: dict[str, NDArray[np.generic]]

    def unpack(self) -> Weights:
        return {name: _unpacked(self.packed, name) for name in self.packed if not name.endswith(".scale")}


@dataclass(frozen=True)
class Piece:
    """A stretch of the recording that is encoded at once."""

    heard: slice
    """Mel frames that go in."""
    kept: slice
    """States of the recording that it is there for."""
    within: slice
    """Where these are among those that come out; beside them are some that other pieces know better."""


def encode(pcm: NDArray[np.float32], speech: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(ceil(n / 2), channels) states of mono 16 kHz samples, of which n analysis frames may be speech.

    State `k` belongs to analysis frames `2 k` and `2 k + 1`. Volume makes no difference.
    """
    return np.concatenate([states[piece.within] for piece, states in pieces(pcm, speech)])


def pieces(
    pcm: NDArray[np.float32], speech: NDArray[np.bool_]
) -> Iterator[tuple[Piece, NDArray[np.float32]]]:
    """The same a few pieces at a time, so that memory hardly grows with the recording."""
    mel = inputs(pcm, speech)
    stem, layers = _load(WEIGHTS)
    cut = [_piece(len(mel), start) for start in range(0, len(mel), _CORE)]
    for first in range(0, len(cut), _PIECES_AT_ONCE):
        some = cut[first : first + _PIECES_AT_ONCE]
        values = [_stem(mel[piece.heard], stem) for piece in some]
        for layer in layers:
            weights = layer.unpack()
            values = [_layer(value, weights) for value in values]
        yield from zip(some, values, strict=True)


def _piece(count: int, start: int) -> Piece:
    first, last = max(0, start - _MARGIN), min(count, start + _CORE + _MARGIN)
    kept = slice(start // 2, -(-min(count, start + _CORE) // 2))
    return Piece(slice(first, last), kept, slice(kept.start - first // 2, kept.stop - first // 2))


def inputs(pcm: NDArray[np.float32], speech: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n, BANDS) what the network is given: levels relative to those of the loud parts of the speech."""
    mel = log_mel(pcm, len(speech))
    peaks = mel.max(axis=1)
    mel -= np.float32(np.percentile(peaks[speech] if speech.any() else peaks, 95))
    np.clip(mel, -_RANGE, 1, out=mel)
    mel /= 4
    mel += np.float32(_LOUDEST)
    return mel


def log_mel(pcm: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """(count, BANDS) logarithm of the power in each mel band; frame `i` is centred on sample `i * HOP`."""
    half = WINDOW // 2
    padded = np.zeros(max((count - 1) * HOP + WINDOW, len(pcm) + half), np.float32)
    padded[half : half + len(pcm)] = pcm
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    taper = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    filters = _mel_filters()
    mel = np.empty((count, BANDS), np.float32)
    for start in range(0, count, _CORE):
        spectrum = rfft(windows[start : start + _CORE] * taper, axis=1)
        mel[start : start + _CORE] = (spectrum.real**2 + spectrum.imag**2) @ filters
    np.maximum(mel, 1e-10, out=mel)
    return np.log10(mel, out=mel)


def _stem(mel: NDArray[np.float32], weights: Weights) -> NDArray[np.float32]:
    """(ceil(n / 2), channels) from (n, BANDS): two convolutions, the second of which halves the rate."""
    hidden = _gelu(_convolve(mel, weights["conv1.weight"], 1) + weights["conv1.bias"])
    hidden = _gelu(_convolve(hidden, weights["conv2.weight"], 2) + weights["conv2.bias"])
    return hidden + _positions(*hidden.shape)


def _convolve(values: NDArray[np.float32], matrix: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """Three frames at a time; beyond the ends there is nothing."""
    padded = np.pad(values, ((1, 1), (0, 0)))
    beside = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=0)[::stride].transpose(0, 2, 1)
    result: NDArray[np.float32] = beside.reshape(len(beside), -1) @ matrix
    return result


def _layer(values: NDArray[np.float32], weights: Weights) -> NDArray[np.float32]:
    """Self-attention and a feed-forward network, each added to what came in (A. Vaswani et al., 2017)."""
    heard = _normalised(values, weights["attention.norm.gain"], weights["attention.norm.bias"])
    values = values + _attention(heard, weights)
    heard = _normalised(values, weights["forward.norm.gain"], weights["forward.norm.bias"])
    hidden = _gelu(heard @ weights["forward.inner.weight"] + weights["forward.inner.bias"])
    result: NDArray[np.float32] = values + hidden @ weights["forward.outer.weight"]
    result += weights["forward.outer.bias"]
    return result


def _attention(values: NDArray[np.float32], weights: Weights) -> NDArray[np.float32]:
    count, channels = values.shape
    asked = values @ weights["attention.inner.weight"] + weights["attention.inner.bias"]
    # (3, heads, frames, channels of a head)
    queries, keys, answers = asked.reshape(count, 3, _HEADS, -1).transpose(1, 2, 0, 3)
    mixed = np.empty((count, _HEADS, channels // _HEADS), np.float32)
    scale = np.float32((channels // _HEADS) ** -0.5)
    for head in range(_HEADS):
        scores = (queries[head] * scale) @ keys[head].T
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        mixed[:, head] = scores @ answers[head]
    result: NDArray[np.float32] = mixed.reshape(count, channels) @ weights["attention.outer.weight"]
    result += weights["attention.outer.bias"]
    return result


def _normalised(
    values: NDArray[np.float32], gain: NDArray[np.float32], bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Layer normalisation (J. L. Ba et al., 2016)."""
    centred = values - values.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.mean(centred * centred, axis=1, keepdims=True) + np.float32(_EPSILON))
    return centred / spread * gain + bias


def _gelu(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gaussian error linear units by the hyperbolic tangent (D. Hendrycks and K. Gimpel, 2016)."""
    inner = values * values
    inner *= np.float32(0.044715)
    inner += 1
    inner *= values
    inner *= np.float32(np.sqrt(2 / np.pi))
    np.tanh(inner, out=inner)
    inner += 1
    inner *= values
    inner *= np.float32(0.5)
    return inner


@lru_cache(maxsize=4)
def _positions(count: int, channels: int) -> NDArray[np.float32]:
    """(count, channels) sines and cosines that tell when a state is."""
    rates = np.exp(-np.log(10_000) / (channels // 2 - 1) * np.arange(channels // 2))
    angles = np.arange(count)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


@lru_cache(maxsize=1)
def _mel_filters() -> NDArray[np.float32]:
    """(WINDOW // 2 + 1, BANDS) triangles of equal area, as in Slaney's Auditory Toolbox (1998)."""
    hz = np.linspace(0, SAMPLE_RATE / 2, WINDOW // 2 + 1)
    top = 15 + 27 * np.log(SAMPLE_RATE / 2 / 1000) / np.log(6.4)
    mels = np.linspace(0, top, BANDS + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mels - 15)))
    rising = (hz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz[:, None]) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * 2 / (edges[2:] - edges[:-2])).astype(np.float32)


@lru_cache(maxsize=1)
def _load(path: Path) -> tuple[Weights, tuple[_Packed, ...]]:
    """The convolutions and the layers as `training/whisper.py` writes them."""
    with np.load(path, allow_pickle=False) as archive:
        packed = {name: archive[name] for name in archive.files}
    groups: dict[str, dict[str, NDArray[np.generic]]] = {}
    for name, array in packed.items():
        group, _, rest = name.partition("/")
        groups.setdefault(group, {})[rest] = array
    stem = _Packed(groups.pop("stem")).unpack()
    return stem, tuple(_Packed(groups[name]) for name in sorted(groups))


def _unpacked(packed: dict[str, NDArray[np.generic]], name: str) -> NDArray[np.float32]:
    values = packed[name].astype(np.float32)
    if f"{name}.scale" in packed:
        values *= packed[f"{name}.scale"].astype(np.float32)
    return values
