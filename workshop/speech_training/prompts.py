"""Real English with transcripts: announcements, and readings, timed by forced alignment. Held out.

The announcements are those of the telephone exchange Asterisk, spoken by Allison Smith (CC-BY-SA-3.0):
Debian's `asterisk-core-sounds-en-g722` has the recordings and `core-sounds-en.txt` of the original
archive the words. The readings are those of Debian's `pocketsphinx-testdata` (public domain).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech.constants import SAMPLE_RATE
from workshop.speech_training import labels

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_FEWEST_WORDS = 3
"""Single words and halves of sentences are left out: they are cut close, and spoken like no sentence."""


def announcements(folder: Path) -> Iterator[tuple[str, NDArray[np.float32], list[labels.Label]]]:
    """Name, mono 16 kHz samples and labels of every announcement that can be aligned.

    `folder` holds the recordings and `core-sounds-en.txt`, lines of `NAME: words`.
    """
    from workshop.speech_training import align

    for line in (folder / "core-sounds-en.txt").read_text("utf-8").splitlines():
        name, _, text = line.partition(":")
        path = folder / f"{name.strip()}.g722"
        words = plain_words(text)
        if not path.is_file() or len(words.split()) < _FEWEST_WORDS:
            continue
        pcm = decode(path, "g722")
        try:
            yield re.sub(r"\W|_", "-", name), pcm, align.align(pcm, words)
        except ValueError:  # a word the dictionary lacks, or a transcript that is not exact
            continue


def readings(folder: Path) -> Iterator[tuple[str, NDArray[np.float32], list[labels.Label]]]:
    """Name, mono 16 kHz samples and labels of every reading."""
    from workshop.speech_training import align

    for line in (folder / "transcription").read_text("utf-8").splitlines():
        words, name = line.replace("<s>", "").replace("</s>", "").rstrip(")").rsplit("(", 1)
        pcm = labels.read_wav(folder / f"{name}.wav")
        yield name[-4:], pcm, align.align(pcm, words.strip())


def plain_words(text: str) -> str:
    """The words of a sentence as a pronouncing dictionary spells them; digits are read one by one."""
    spelled = re.sub(r"\d", lambda digit: f" {_DIGITS[int(digit[0])]} ", text.lower())
    return " ".join(re.sub(r"[^a-z' ]", " ", spelled).split())


def decode(path: Path, container: str | None = None) -> NDArray[np.float32]:
    """Mono 16 kHz samples of a recording."""
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    with av.open(str(path), format=container) as file:
        frames = [piece for frame in file.decode(audio=0) for piece in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray().ravel() for frame in [*frames, *resampler.resample(None)]])
    return samples.astype(np.float32) / np.float32(32768)
