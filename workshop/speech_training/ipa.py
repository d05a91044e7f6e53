"""From IPA, ARPABET and pinyin to the recogniser's units."""

import re

IPA_UNITS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys("m", ("m",)),
    **dict.fromkeys("pb", ("p",)),
    **dict.fromkeys("fvʋɸ", ("f",)),
    **dict.fromkeys("wʍ", ("w",)),
    **dict.fromkeys("ɹr", ("r",)),
    **dict.fromkeys("lɫ", ("l",)),
    **dict.fromkeys("tdɾʔ", ("t",)),
    **dict.fromkeys("nɲɳ", ("n",)),
    **dict.fromkeys("szʦʣ", ("s",)),
    **dict.fromkeys("ʃʒʧʤʂʐꭧɻ", ("sh",)),
    **dict.fromkeys("ɕʑʨʥ", ("x",)),
    **dict.fromkeys("θð", ("th",)),
    **dict.fromkeys("kɡg", ("k",)),
    **dict.fromkeys("hxχʰ", ("h",)),
    **dict.fromkeys("ŋ", ("ng",)),
    **dict.fromkeys("jʲ", ("y",)),
    **dict.fromkeys("i", ("i",)),
    **dict.fromkeys("ɪᵻ", ("ih",)),
    **dict.fromkeys("eɛ", ("e",)),
    **dict.fromkeys("æ", ("ae",)),
    **dict.fromkeys("aɑɐ", ("a",)),
    **dict.fromkeys("əʌɤᵊ", ("uh",)),
    **dict.fromkeys("oɔɒ", ("o",)),
    **dict.fromkeys("uʊ", ("u",)),
    **dict.fromkeys("yɥ", ("v",)),
    **dict.fromkeys("ɚɝɜ", ("er",)),
    **dict.fromkeys("ɨ", ("ii",)),
    # Diphthongs as the Kokoro voices write them
    "A": ("e", "ih"),
    "I": ("a", "ih"),
    "W": ("a", "u"),
    "Y": ("o", "ih"),
    "O": ("o", "u"),
}
"""Units of one IPA letter; two for a diphthong, which spends half of its time in each."""

ARPABET_UNITS: dict[str, tuple[str, ...]] = {
    "sil": ("sil",), "pau": ("sil",), "h#": ("sil",),
    "m": ("m",), "em": ("m",), "p": ("p",), "b": ("p",), "f": ("f",), "v": ("f",), "w": ("w",),
    "r": ("r",), "l": ("l",), "el": ("l",), "t": ("t",), "d": ("t",), "dx": ("t",),
    "n": ("n",), "en": ("n",), "nx": ("n",), "s": ("s",), "z": ("s",),
    "sh": ("sh",), "zh": ("sh",), "ch": ("sh",), "jh": ("sh",), "th": ("th",), "dh": ("th",),
    "k": ("k",), "g": ("k",), "hh": ("h",), "hv": ("h",), "ng": ("ng",), "y": ("y",),
    "iy": ("i",), "ih": ("ih",), "ix": ("ih",), "eh": ("e",), "ey": ("e", "ih"), "ae": ("ae",),
    "aa": ("a",), "ay": ("a", "ih"), "aw": ("a", "u"), "ah": ("uh",), "ax": ("uh",),
    "ao": ("o",), "ow": ("o", "u"), "oy": ("o", "ih"), "uh": ("u",), "uw": ("u",), "ux": ("u",),
    "er": ("er",), "axr": ("er",),
}  # fmt: skip

_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l",
    "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ",
    "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s", "": "",
}  # fmt: skip

_FINALS = {
    "a": "a", "o": "wo", "e": "ɤ", "ai": "ai", "ei": "ei", "ao": "au", "ou": "ou", "an": "an",
    "en": "ən", "ang": "aŋ", "eng": "əŋ", "ong": "ʊŋ", "er": "ɚ", "i": "i", "ia": "ja", "ie": "je",
    "iao": "jau", "iu": "jou", "iou": "jou", "ian": "jɛn", "in": "in", "iang": "jaŋ", "ing": "iŋ",
    "iong": "jʊŋ", "u": "u", "ua": "wa", "uo": "wo", "uai": "wai", "ui": "wei", "uei": "wei",
    "uan": "wan", "un": "wən", "uen": "wən", "uang": "waŋ", "ueng": "wəŋ", "v": "y", "ve": "ɥe",
    "van": "ɥɛn", "vn": "yn", "ê": "ɛ", "io": "jo",
}  # fmt: skip

_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}


def split_pinyin(syllable: str) -> tuple[str, str, str]:
    """Initial, final (with v for ü) and tone digit of a toned syllable such as `zhuang1`.

    Raises `ValueError` for what is no Mandarin syllable.
    """
    match = re.fullmatch(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)([aeiouvêngr]+)([1-5]?)", syllable)
    if not match:
        raise ValueError(f"not a pinyin syllable: {syllable}")
    initial, final, tone = match.groups()
    if initial == "y":
        if final.startswith("u"):
            final = "v" + final[1:]
        elif not final.startswith("i"):
            final = "i" + final
    elif initial == "w" and final != "u":
        final = "u" + final
    elif initial in {"j", "q", "x"} and final.startswith("u"):
        final = "v" + final[1:]
    initial = "" if initial in {"y", "w"} else initial
    if final not in _FINALS:
        raise ValueError(f"not a pinyin syllable: {syllable}")
    return initial, final, tone or "5"


def pinyin_to_ipa(syllable: str) -> str:
    """IPA with tone marks as the Kokoro voices expect it."""
    initial, final, tone = split_pinyin(syllable)
    apical = final == "i" and initial in {"zh", "ch", "sh", "r", "z", "c", "s"}
    return _INITIALS[initial] + ("ɨ" if apical else _FINALS[final]) + _TONES[tone]
