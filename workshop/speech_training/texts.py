"""What the synthetic voices say: sentences and word lists in English, phrases in Mandarin."""

import pydoc_data.topics
import random
import re
from collections.abc import Iterator
from pathlib import Path


def english_sentences(rng: random.Random) -> Iterator[str]:
    """Endless English: plain sentences of the Python reference, and rows of random words.

    The sentences give natural order and rhythm, the words every sound in every surrounding.
    """
    prose = re.sub(r"\s+", " ", " ".join(pydoc_data.topics.topics.values()))
    sentences = [
        text for text in re.split(r"(?<=[.!?]) ", prose) if re.fullmatch(r"[A-Za-z ,'.]{30,120}", text)
    ]
    words = _dictionary_words()
    while True:
        if rng.random() < 0.5:
            yield rng.choice(sentences)
        else:
            yield " ".join(rng.choice(words) for _ in range(rng.randint(4, 10))) + "."


def mandarin_phrases(rng: random.Random) -> Iterator[list[str]]:
    """Endless Mandarin: two to five dictionary phrases in a row, as toned pinyin syllables and commas."""
    from pypinyin.constants import PHRASES_DICT
    from pypinyin.contrib.tone_convert import to_tone3

    phrases = [entry for text, entry in PHRASES_DICT.items() if 2 <= len(text) <= 5 and text.isalpha()]
    while True:
        line: list[str] = []
        for _ in range(rng.randint(2, 5)):
            syllables = [to_tone3(readings[0], v_to_u=False) for readings in rng.choice(phrases)]
            line += [*syllables, ","] if rng.random() < 0.4 else syllables
        yield [syllable.replace("ü", "v") for syllable in line]


_PARTICLES = (
    "de5 le5 ma5 ba5 ne5 men5 bu4 ye3 shi4 wo3 ni3 ta1 zhe4 na4 mei2 you3 ge5 ba3 bei4 me5 bian4 bi3 dou1"
)
"""Frequent short words of Mandarin, many of them with a bilabial, which dictionary phrases lack."""


def mandarin_sentences(rng: random.Random) -> Iterator[list[str]]:
    """Phrases strung together by the short words that real sentences have between them."""
    particles = _PARTICLES.split()
    for phrase in mandarin_phrases(rng):
        line: list[str] = []
        for syllable in phrase:
            line.append(syllable)
            if syllable != "," and rng.random() < 0.15:
                line.append(rng.choice(particles))
        yield line


def _dictionary_words() -> list[str]:
    import pocketsphinx

    dictionary = Path(pocketsphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict"
    words = (line.split()[0] for line in dictionary.read_text("utf-8").splitlines() if line.strip())
    return [word for word in words if re.fullmatch(r"[a-z]{3,10}", word)]
