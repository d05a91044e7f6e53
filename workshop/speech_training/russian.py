"""Real connected speech with timings: a Russian speaker, for what closed lips sound like in nature.

Needs the files of Debian's `festvox-ru` (Nickolay V. Shmyrev, BSD-like): the sentences from which a
unit-selection voice of Festival is cut, labelled sound by sound. Russian is not analysed, but its
b, p and m are made by the same lips, voiced, voiceless and palatalised, in every surrounding.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workshop.speech_training.labels import UNKNOWN, Label, read_wav

_UNITS = {
    **dict.fromkeys(("p", "pp", "b", "bb"), "p"),
    **dict.fromkeys(("m", "mm"), "m"),
    **dict.fromkeys(("f", "ff", "v", "vv"), "f"),
    # The trilled r leaves the lips to the vowels, as a tap does.
    **dict.fromkeys(("t", "tt", "d", "dd", "r", "rr"), "t"),
    **dict.fromkeys(("n", "nn"), "n"),
    **dict.fromkeys(("l", "ll"), "l"),
    **dict.fromkeys(("s", "ss", "z", "zz", "c"), "s"),
    **dict.fromkeys(("sh", "zh", "ch", "sch"), "sh"),
    **dict.fromkeys(("k", "kk", "g", "gg"), "k"),
    **dict.fromkeys(("h", "hh"), "h"),
    "j": "y",
    **dict.fromkeys(("a", "aa"), "a"),
    "ay": "uh",
    **dict.fromkeys(("e", "ee"), "e"),
    **dict.fromkeys(("ae", "y", "yy"), "ih"),
    **dict.fromkeys(("i", "ii"), "i"),
    "oo": "o",
    **dict.fromkeys(("u", "uu", "ur"), "u"),
    "pau": "sil",
}


def sentences(folder: Path) -> Iterator[tuple[str, NDArray[np.float32], list[Label]]]:
    """Name, mono 16 kHz samples and labels of every sentence; `folder` holds `wav` and `lab`."""
    for path in sorted((folder / "wav").glob("*.wav")):
        start, known = 0.0, []
        for line in (folder / "lab" / f"{path.stem}.lab").read_text("utf-8").splitlines():
            fields = line.split()
            if len(fields) == 3:
                end = float(fields[0])
                known.append(Label(start, end, _UNITS.get(fields[2], UNKNOWN)))
                start = end
        yield path.stem.replace("_", "-"), read_wav(path), known
