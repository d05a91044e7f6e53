"""Formant-synthesised speech of espeak-ng with the timings its library reports.

Needs `libespeak-ng.so.1` (Debian: libespeak-ng1). The library keeps global state: one process
must not synthesise from two threads.
"""

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from engines.portrait.speech.constants import SAMPLE_RATE
from workshop.speech_training.ipa import IPA_UNITS
from workshop.speech_training.labels import UNKNOWN, Label, spread

_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 1 | 2
_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_EVENT_END = 0
_EVENT_PHONEME = 7
_STRESS = "ˈˌ"
_ALIASES = {"ts.": "ʂ", "s.": "ʂ", "tɕ": "ɕ", "ts": "s", "tʃ": "ʃ", "dʒ": "ʒ"}
"""Affricates: the whole sound has the lips of its fricative."""


class _Event(ctypes.Structure):
    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def speak(
    text: str, voice: str, *, words_per_minute: int = 175, pitch: int = 50, pitch_range: int = 50
) -> tuple[NDArray[np.float32], list[Label]]:
    """Mono 16 kHz samples and labels of a text; `voice` as after espeak-ng's `-v`.

    Mandarin is read from toned pinyin by the voice `cmn-latn-pinyin`. Raises `ValueError` for an
    unknown voice and `OSError` where the library is missing.
    """
    library, rate = _library()
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise ValueError(f"espeak-ng has no voice {voice!r}")
    for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
        library.espeak_SetParameter(parameter, value, 0)
    chunks: list[NDArray[np.int16]] = []
    events: list[tuple[int, str]] = []

    def collect(samples: Any, count: int, event: Any) -> int:
        if samples and count > 0:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while event[index].type != _EVENT_END:
            if event[index].type == _EVENT_PHONEME:
                events.append((event[index].audio_position, event[index].name.decode("utf-8", "ignore")))
            index += 1
        return 0

    callback = _Callback(collect)
    library.espeak_SetSynthCallback(callback)
    encoded = text.encode()
    library.espeak_Synth(encoded, len(encoded) + 1, 0, _POSITION_CHARACTER, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    samples = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
    pcm = resample_poly(samples.astype(np.float32) / 32768, SAMPLE_RATE // 50, rate // 50)
    return pcm.astype(np.float32), _labels(events, len(samples) / rate)


def _labels(events: list[tuple[int, str]], duration_s: float) -> list[Label]:
    starts = [position / 1000 for position, _ in events]
    ends = [*starts[1:], duration_s]
    labels: list[Label] = []
    for (_, name), start, end in zip(events, starts, ends, strict=True):
        labels += spread(start, end, _units(name))
    return labels


def _units(name: str) -> Sequence[str]:
    """Units of espeak-ng's name of a sound, whose second half may be cut off."""
    bare = "".join(letter for letter in name if letter not in _STRESS)
    if bare.strip("_:; \x00") == "":
        return ("sil",)
    for spelling, letter in _ALIASES.items():
        bare = bare.replace(spelling, letter)
    if "ʂ" in bare or "ʐ" in bare or "i̪" in bare or bare.startswith("i."):
        bare = bare.replace("i.", "ɨ").replace("i̪", "ɨ")
    units = [unit for letter in bare for unit in IPA_UNITS.get(letter, ())]
    return units or (UNKNOWN,)


@lru_cache(maxsize=1)
def _library() -> tuple[ctypes.CDLL, int]:
    library = ctypes.CDLL("libespeak-ng.so.1")
    rate: int = library.espeak_Initialize(_SYNCHRONOUS, 500, None, _PHONEME_EVENTS_IN_IPA)
    if rate <= 0:
        raise OSError("espeak-ng could not be started")
    return library, rate
