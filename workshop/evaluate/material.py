"""Speech with known sound timings, made on the spot by espeak-ng."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workshop.speech_training import espeak, labels

_SENTENCES = {
    ("en", "en-us+m5"): (
        "The big brown map on the table belongs to Bob, but nobody may buy it before Monday.",
        "Please bring me a cup of warm milk and some bread with butter.",
        "He thought about moving to the north, where summers are short and beautiful.",
        "Five very fine vases fell from the shelf above the sofa.",
    ),
    ("zh", "cmn-latn-pinyin+f4"): (
        "ba4 ba5 ma1 ma5 dou1 bu2 zai4 jia1, wo3 men5 ming2 tian1 pao3 bu4",
        "ta1 pa4 bei4 peng2 you5 pi1 ping2, suo3 yi3 mei2 you3 bao4 ming2",
        "qing3 ba3 men2 bi4 shang4, wai4 mian4 de5 feng1 hen3 da4",
        "xue2 xiao4 li3 you3 hen3 duo1 xin1 tong2 xue2, ta1 men5 dou1 hen3 nu3 li4",
    ),
}


@contextmanager
def synthesised() -> Iterator[Path]:
    """A folder of labelled recordings, removed afterwards.

    Raises `OSError` where espeak-ng is not installed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "espeak"
        folder.mkdir()
        for (language, voice), sentences in _SENTENCES.items():
            for number, text in enumerate(sentences):
                pcm, known = espeak.speak(text, voice, words_per_minute=150 + 15 * number)
                labels.write(folder / f"{language}_{number}", pcm, known)
        yield folder
