"""How a written text sounds, as the recogniser's units: espeak-ng reads it.

Needs the program `espeak-ng`.
"""

import re
import subprocess
from collections.abc import Iterator

from workshop.speech_training.ipa import IPA_UNITS
from workshop.speech_training.labels import UNKNOWN

Words = list[list[str]]
"""Units of every word."""

_VOICES = {"fr": "fr-fr"}
"""Voices of espeak-ng whose name is not that of the language."""
_AFFRICATES = ("tʃ", "dʒ", "ts", "dz", "tɕ", "dʑ", "tʂ", "dʐ")
"""The whole sound has the lips of its fricative, which is the second letter."""
_ABROAD: dict[str, tuple[str, ...]] = {
    # Trills, taps and the French r leave the lips to the vowels.
    **dict.fromkeys("rɾɹ", ("t",)),
    **dict.fromkeys("ʁʀɦħ", ("h",)),
    **dict.fromkeys("ɣcɟ", ("k",)),
    **dict.fromkeys("ɨɯ", ("ih",)),
    **dict.fromkeys("ɕʑ", ("sh",)),
    "ʎ": ("l",),
    # The lips of a Spanish b between vowels come near each other only, those of ø have no unit.
    **dict.fromkeys("βøœ", (UNKNOWN,)),
    **dict.fromkeys("ʲʔʰ", ()),
}


def words_of(text: str, language: str) -> Words:
    """Units of every word of a text in a language of espeak-ng.

    Raises `ValueError` where there is nothing to read.
    """
    command = ["espeak-ng", "-q", "--ipa", "--sep=_", "-v", _VOICES.get(language, language), "--", text]
    spelled = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    words = units_of(spelled)
    if not words:
        raise ValueError("nothing to read")
    return words


def units_of(spelled: str) -> Words:
    """Units of words that espeak-ng has spelled in IPA, `_` between the sounds."""
    # What is read in the manner of another language stands between marks such as (en).
    spelled = re.sub(r"\([a-z-]+\)", " ", spelled)
    words = [[unit for sound in word.split("_") for unit in _units(sound)] for word in spelled.split()]
    return [word for word in words if word]


def _units(sound: str) -> Iterator[str]:
    """Units of one sound in IPA, its marks of stress, length and nasality left out."""
    for letter in sound[1:] if sound.startswith(_AFFRICATES) else sound:
        yield from _ABROAD.get(letter, IPA_UNITS.get(letter, ()))
