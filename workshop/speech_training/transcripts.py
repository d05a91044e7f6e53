"""Real speech whose words are known: what closed lips sound like from many mouths.

Needs the contents of Debian packages, unpacked below one folder:

- `asterisk-core-sounds-{fr,it,ru}` and `-g722`: announcements by June Wallack (CC-BY-SA-3.0), Carlo Flora and
  Maxim Topal (CC-BY-3.0). The Spanish ones are spoken by the speaker of the English ones, who is held out.
- `tuxpaint-stamps-default` (GPL-2): what is on a picture, said by one speaker or more in each language.
- `fillets-ng-data` with `-cs` and `-nl` (GPL-2): the dialogues of a game, played by actors.
"""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech.constants import SAMPLE_RATE
from workshop.speech_training import spelling
from workshop.speech_training.prompts import decode

_PICTURES = ("fr", "ru", "ro", "ca", "bg", "es", "be", "el", "da")
_ANNOUNCEMENTS = ("fr", "it", "ru")
_DIALOGUES = ("cs", "nl")
_LENGTH_S = (0.5, 20.0)

_SPOKEN = re.compile(r'dialogId\("([^"]+)"[^\n]*\)\s*dialogStr\("((?:[^"\\]|\\.)*)"\)')
"""Name and translation of a line of dialogue in a script."""


class Utterance(NamedTuple):
    """A recording and its words."""

    speaker: str
    """Who speaks, or what it is from, and the language: `announcement-fr`, `picture-es`, `dialogue-cs`."""
    name: str
    language: str
    path: Path
    text: str

    def samples(self) -> NDArray[np.float32]:
        """Mono 16 kHz samples in [-1, 1]; raises `ValueError` where they are too few or too many."""
        pcm = decode(self.path, "g722" if self.path.suffix == ".g722" else None)
        if not _LENGTH_S[0] < len(pcm) / SAMPLE_RATE < _LENGTH_S[1]:
            raise ValueError("too short or too long")
        return pcm

    def words(self) -> spelling.Words:
        """How the text sounds; raises `ValueError` where it is empty."""
        return spelling.words_of(self.text, self.language)


def utterances(folder: Path) -> Iterator[Utterance]:
    """Every recording below a folder with its words, those of one speaker together."""
    for language in _ANNOUNCEMENTS:
        yield from _announcements(folder, language)
    yield from _pictures(folder)
    for language in _DIALOGUES:
        yield from _dialogues(folder, language)


def _announcements(folder: Path, language: str) -> Iterator[Utterance]:
    recordings = {path.stem: path for path in sorted(folder.rglob(f"sounds/{language}_*/**/*.g722"))}
    for texts in folder.rglob(f"core-sounds-{language}.txt.gz"):
        for line in gzip.decompress(texts.read_bytes()).decode("utf-8").splitlines():
            name, _, text = line.partition(":")
            path = recordings.get(name.strip().rsplit("/", 1)[-1])
            if path and text.strip() and not line.startswith(";"):
                yield Utterance(f"announcement-{language}", _slug(name), language, path, text.strip())


def _pictures(folder: Path) -> Iterator[Utterance]:
    for language in _PICTURES:
        seen: set[Path] = set()
        for described in sorted(folder.rglob("tuxpaint/stamps/**/*.txt")):
            path = described.with_name(f"{described.stem}_desc_{language}.ogg")
            if path.is_file() and path.resolve() not in seen:
                seen.add(path.resolve())
                name = "-".join(described.with_suffix("").parts[described.parts.index("stamps") + 1 :])
                text = _translation(described, language)
                if text:
                    yield Utterance(f"picture-{language}", _slug(name), language, path, text)


def _translation(described: Path, language: str) -> str:
    """What a stamp's text file says in a language, lines of `es.utf8=Un cuervo.`"""
    for line in described.read_text("utf-8", "replace").splitlines():
        key, _, text = line.partition("=")
        if key.partition(".")[0] == language:
            return text.strip()
    return ""


def _dialogues(folder: Path, language: str) -> Iterator[Utterance]:
    for script in sorted(folder.rglob(f"script/*/dialogs_{language}.lua")):
        recordings = {
            path.stem: path for path in folder.rglob(f"sound/{script.parent.name}/{language}/*.ogg")
        }
        for name, text in _SPOKEN.findall(script.read_text("utf-8")):
            if name in recordings:
                yield Utterance(
                    f"dialogue-{language}", _slug(name), language, recordings[name], text.replace("\\", "")
                )


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name.strip())
