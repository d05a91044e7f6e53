"""Names of files in archives that Linux, macOS and Windows can all unpack, no two of them the same to any."""

import unicodedata
from pathlib import PurePosixPath

MAX_BYTES = 255
"""What Linux takes as one name, in UTF-8; macOS and Windows take 255 units of UTF-16: never fewer bytes."""
_FORBIDDEN = set('<>:"/\\|?*')
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"
}
"""Windows opens a device instead of a file of such a name, whatever follows its first dot."""
_JOINER = "\u200d"


class DistinctNames:
    """Gives out names, each once."""

    def __init__(self, *taken: str) -> None:
        self._taken = {_folded(name) for name in taken}

    def give(self, original: str, suffix: str, default: str) -> str:
        """The name of `original`, which is a file's, with another suffix, and a number if it is taken."""
        stem = safe_stem(PurePosixPath(original).stem) or default
        number, name = 1, _with_ending(stem, suffix)
        while _folded(name) in self._taken:
            number += 1
            name = _with_ending(stem, f" ({number}){suffix}")
        self._taken.add(_folded(name))
        return name


def safe_name(name: str, suffix: str, default: str) -> str:
    """A single safe name."""
    return _with_ending(safe_stem(name) or default, suffix)


def safe_stem(name: str) -> str:
    """What can be in a file's name on every system, without its suffix; may be empty.

    Composed, because macOS would compose or decompose it itself. Characters that cannot be shown go, except
    the joiner that makes one picture of several; half characters, which are no text, go too.
    """
    composed = unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode())
    kept = "".join(
        "_" if character in _FORBIDDEN else character
        for character in composed
        if character.isprintable() or character == _JOINER
    ).strip(" .\u3000\u00a0" + _JOINER)
    device = kept.split(".")[0].rstrip(" ").casefold()
    return f"_{kept}" if device in _DEVICES else kept


def _with_ending(stem: str, ending: str) -> str:
    room = MAX_BYTES - len(ending.encode())
    return f"{_cut(stem, room).rstrip(' .') or '_'}{ending}"


def _cut(text: str, room: int) -> str:
    """At most `room` bytes of UTF-8, ending between two characters as people see them."""
    if len(text.encode()) <= room:
        return text
    used, end = 0, 0
    for end, character in enumerate(text):  # noqa: B007  (used after the loop)
        used += len(character.encode())
        if used > room:
            break
    while end > 0 and (_continues(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    return text[:end]


def _continues(character: str) -> bool:
    """Whether it belongs to the character before it: accents, vowel signs, variation marks, skin tones."""
    return (
        unicodedata.combining(character) > 0
        or unicodedata.category(character) in {"Mn", "Me", "Mc"}
        or character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _folded(name: str) -> str:
    """Equal for names that some file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
