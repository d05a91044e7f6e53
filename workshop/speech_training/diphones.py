"""Real bursts and murmurs of many speakers: the diphone voices of Festival, made to say any row of sounds.

Needs the program `festival` and the files of Debian's `festvox-*` packages of the voices below. A diphone
is a recording of one person from the middle of one sound to the middle of the next. What is spoken here
means nothing: it wanders from sound to sound wherever the voice has a diphone, with many lips pressed
together, in the lengths and the melody of speech. Its timings are exact.
"""

import itertools
import random
import re
import subprocess
import tempfile
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from engines.portrait.speech.constants import SAMPLE_RATE
from engines.portrait.speech.units import BILABIALS
from workshop.speech_training.labels import Label, spread

_ENGLISH = {
    "aa": "a", "ae": "ae", "ah": "uh", "ao": "o", "aw": "a u", "ax": "uh", "ay": "a ih", "b": "p", "ch": "sh",
    "d": "t", "dh": "th", "eh": "e", "er": "er", "ey": "e ih", "f": "f", "g": "k", "hh": "h", "ih": "ih",
    "iy": "i", "jh": "sh", "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ng", "ow": "o u", "oy": "o ih",
    "p": "p", "r": "r", "s": "s", "sh": "sh", "t": "t", "th": "th", "uh": "u", "uw": "u", "v": "f", "w": "w",
    "y": "y", "z": "s", "zh": "sh",
}  # fmt: skip
_FINNISH = {
    "a": "a", "e": "e", "i": "i", "o": "o", "u": "u", "y": "v", "7": "er", "&": "ae", "p": "p", "t": "t",
    "k": "k", "b": "p", "d": "t", "g": "k", "f": "f", "s": "s", "S": "sh", "h": "h", "v": "f", "m": "m",
    "n": "n", "N": "ng", "l": "l", "r": "t", "j": "y", "a:": "a", "e:": "e", "i:": "i", "o:": "o", "u:": "u",
    "y:": "v", "&:": "ae",
}  # fmt: skip
_ITALIAN = {
    "i": "i", "e": "e", "E": "e", "a": "a", "o": "o", "O": "o", "u": "u", "i1": "i", "e1": "e", "E1": "e",
    "a1": "a", "o1": "o", "O1": "o", "u1": "u", "j": "y", "w": "w", "p": "p", "t": "t", "k": "k", "b": "p",
    "d": "t", "g": "k", "f": "f", "s": "s", "S": "sh", "v": "f", "z": "s", "ts": "s", "tS": "sh", "dz": "s",
    "dZ": "sh", "m": "m", "n": "n", "J": "n", "ng": "ng", "l": "l", "L": "l", "r": "t",
}  # fmt: skip
_CZECH = {
    "a": "a", "a:": "a", "b": "p", "c": "s", "c~": "sh", "ch": "h", "d": "t", "d~": "t", "e": "e", "e:": "e",
    "f": "f", "g": "k", "h": "h", "i": "ih", "i:": "i", "j": "y", "k": "k", "l": "l", "m": "m", "n": "n",
    "n*": "ng", "n~": "n", "o": "o", "o:": "o", "p": "p", "r": "t", "s": "s", "s~": "sh", "t": "t", "t~": "t",
    "u": "u", "u:": "u", "v": "f", "z": "s", "z~": "sh",
}  # fmt: skip
"""Units of a voice's sounds. A trilled r leaves the lips to the vowels, as a tap does."""

_VOWELS = frozenset({"a", "ae", "e", "er", "i", "ih", "o", "u", "uh", "v"})
_BILABIAL_LIKED = 2.5
_ALIKE_LIKED = 0.12
_REST_S = (0.1, 0.6)
_CONSONANT_S = {
    **dict.fromkeys(("p", "t", "k"), (0.06, 0.13)),
    **dict.fromkeys(("m", "n", "ng", "l"), (0.045, 0.11)),
    **dict.fromkeys(("s", "sh", "f", "h", "th"), (0.06, 0.14)),
    **dict.fromkeys(("w", "r", "y"), (0.04, 0.09)),
}
_VOWEL_S = (0.05, 0.17)
_LATE_S = 0.01
"""Sounds are heard so much later than asked for; an earlier recogniser tells, by voice 2 to 14 ms."""


class Voice(NamedTuple):
    """A diphone voice of Festival."""

    function: str
    file: str
    """File of its diphones below the folder of the voices."""
    units: Mapping[str, str]
    pause: str
    pitch_hz: float


VOICES = {
    "kal": Voice("kal_diphone", "english/kal_diphone/group/kallpc16k.group", _ENGLISH, "pau", 105),
    "ked": Voice("ked_diphone", "english/ked_diphone/group/kedlpc16k.group", _ENGLISH, "pau", 105),
    "lj": Voice("suo_fi_lj_diphone", "finnish/suo_fi_lj_diphone/group/ljlpc.group", _FINNISH, "#", 190),
    "mv": Voice("hy_fi_mv_diphone", "finnish/hy_fi_mv_diphone/group/mvlpc.group", _FINNISH, "#", 105),
    "lp": Voice("lp_diphone", "italian/lp_diphone/group/lp_diphone.group", _ITALIAN, "#", 180),
    "pc": Voice("pc_diphone", "italian/pc_diphone/group/pc_diphone.group", _ITALIAN, "#", 115),
    "ph": Voice("czech_ph", "czech/czech_ph/group/ph.group", _CZECH, "#", 110),
    "dita": Voice("czech_dita", "czech/czech_dita/group/dita.group", _CZECH, "#", 190),
    "machac": Voice("czech_machac", "czech/czech_machac/group/machac.group", _CZECH, "#", 105),
    "krb": Voice("czech_krb", "czech/czech_krb/group/krb.group", _CZECH, "#", 210),
}


class Sound(NamedTuple):
    """A sound of a voice, its length and the pitch in its middle."""

    name: str
    length_s: float
    pitch_hz: float


def speak(folder: Path, voice: Voice, rng: random.Random) -> tuple[NDArray[np.float32], list[Label]]:
    """Mono 16 kHz samples and labels of some phrases; `folder` is that of Festival's voices."""
    sounds = phrases(followers(folder / voice.file, voice), voice, rng)
    with tempfile.TemporaryDirectory() as place:
        script, path = Path(place) / "speak.scm", Path(place) / "spoken.wav"
        script.write_text(f"(voice_{voice.function})\n{_command(sounds, path)}\n", "utf-8")
        subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
        pcm = _read(path)
    edges = list(itertools.accumulate((sound.length_s for sound in sounds), initial=_LATE_S))
    labels: list[Label] = []
    for sound, start, end in zip(sounds, edges[:-1], edges[1:], strict=True):
        labels += spread(start, end, voice.units.get(sound.name, "sil").split())
    return pcm, labels


def phrases(followers: Mapping[str, list[str]], voice: Voice, rng: random.Random) -> list[Sound]:
    """Two to four phrases with rests between them, whose pitch falls."""
    pace, base = rng.uniform(0.75, 1.3), voice.pitch_hz * rng.uniform(0.85, 1.2)
    sounds = [Sound(voice.pause, 0.3, base)]
    for _ in range(rng.randint(2, 4)):
        pitch, left = base * rng.uniform(1.05, 1.25), rng.randint(4, 26)
        name = voice.pause
        while True:
            choices = followers.get(name, [])
            if left <= 0 and voice.pause in choices:
                break
            choices = [after for after in choices if after != voice.pause]
            if not choices:
                break
            name = rng.choices(choices, [_liking(voice, name, after) for after in choices])[0]
            left -= 1
            pitch = max(base * 0.75, pitch * rng.uniform(0.955, 1.02))
            sounds.append(Sound(name, _length_s(voice, name, rng) / pace, pitch * rng.uniform(0.95, 1.05)))
        sounds.append(Sound(voice.pause, rng.uniform(*_REST_S), base))
    return sounds


def followers(index: Path, voice: Voice) -> dict[str, list[str]]:
    """The sounds that the voice can say after each sound, its pause among them."""
    known = {*voice.units, voice.pause}
    followers: dict[str, list[str]] = {}
    for pair in re.findall(rb"^([^\s-]+)-([^\s-]+) \d+ \d+ \d+", index.read_bytes(), re.MULTILINE):
        first, second = (name.decode("latin-1") for name in pair)
        if first in known and second in known and (first, second) != (voice.pause, voice.pause):
            followers.setdefault(first, []).append(second)
    return followers


def _liking(voice: Voice, name: str, after: str) -> float:
    """How readily one sound follows another: consonants and vowels take turns, mostly."""
    unit = voice.units[after].split()[0]
    before = voice.units[name].split()[0] if name in voice.units else None
    alike = before is not None and (unit in _VOWELS) == (before in _VOWELS)
    return (
        (1.0 if unit in _VOWELS else 2.0)
        * (_ALIKE_LIKED if alike else 1.0)
        * (_BILABIAL_LIKED if unit in BILABIALS else 1.0)
    )


def _length_s(voice: Voice, name: str, rng: random.Random) -> float:
    units = voice.units[name].split()
    longer = (1.3 if len(units) > 1 else 1.0) * (1.3 if name.endswith(":") else 1.0)
    return longer * rng.uniform(*_CONSONANT_S.get(units[0], _VOWEL_S))


def _command(sounds: Sequence[Sound], path: Path) -> str:
    listed = " ".join(
        f'("{name}" {length_s:.4f} ({length_s / 2:.4f} {pitch_hz:.1f}))'
        for name, length_s, pitch_hz in sounds
    )
    return f'(utt.save.wave (utt.synth (Utterance Segments ({listed}))) "{path}" \'riff)'


def _read(path: Path) -> NDArray[np.float32]:
    with wave.open(str(path), "rb") as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    return resample_poly(samples, SAMPLE_RATE, rate).astype(np.float32)
