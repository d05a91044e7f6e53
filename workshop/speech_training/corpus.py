"""Make folders of speech with known sound timings.

    python -m workshop.speech_training.corpus espeak OUT [--count 240]

What each source needs is said in its module. Recordings whose names contain "held" are for
evaluation: other voices, or voices that nothing is trained on.
"""

import argparse
import contextlib
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech.constants import SAMPLE_RATE
from workshop.speech_training import labels, texts

_HELD_EVERY = 8
_KOKORO_HELD_EVERY = 10
_BORROWED = 0.2
"""Share of Mandarin recordings whose voice is half an English one: there are few Mandarin voices."""
_ESPEAK_VARIANTS = (
    "",
    "+m1",
    "+m2",
    "+m3",
    "+m7",
    "+f1",
    "+f2",
    "+f3",
    "+f5",
    "+klatt2",
    "+klatt4",
    "+croak",
)
_ESPEAK_HELD = ("+m5", "+m8", "+f4", "+klatt")
_FLITE_HELD = "rms"
_KOKORO_HELD = ("zf_xiaoyi", "zm_yunyang", "af_bella", "am_michael", "bf_emma", "bm_george")
_KOKORO_ABROAD_HELD = ("jf_nezumi", "im_nicola", "hf_beta", "pf_dora")
_NATIVE = 0.4
"""Share of Mandarin recordings by voices from abroad whose voice is half a Mandarin one."""
_DIPHONES_HELD = ("mv", "pc", "krb")
_DIPHONES_HELD_EVERY = 5
_SYLLABLES = 10
_TRANSCRIBED_HELD = ("announcement-it", "picture-ro")
_ROW_S = 6.0
"""Recordings are joined until they are longer than this."""
_BEST_UNFIT = -2.3
"""Mean log probability of its sounds below which a transcript is taken to be of something else."""

Recording = tuple[str, NDArray[np.float32], list[labels.Label]]
"""Name, mono 16 kHz samples, labels."""


def espeak(rng: random.Random) -> Iterator[Recording]:
    """English and Mandarin in many formant voices; a third of the voice variants is held out."""
    from workshop.speech_training import espeak as voice

    english, mandarin = texts.english_sentences(rng), texts.mandarin_phrases(rng)
    for number in itertools.count():
        held = number % 6 == 5
        for language, base in (("en", rng.choice(("en-us", "en"))), ("zh", "cmn-latn-pinyin")):
            text = next(english) if language == "en" else " ".join(next(mandarin)).replace(" ,", ",")
            pcm, known = voice.speak(
                text,
                base + rng.choice(_ESPEAK_HELD if held else _ESPEAK_VARIANTS),
                words_per_minute=rng.randint(110, 230),
                pitch=rng.randint(15, 85),
                pitch_range=rng.randint(20, 80),
            )
            yield f"{language}_{_part(held)}_{number:04d}", pcm, known


def flite(rng: random.Random) -> Iterator[Recording]:
    """English in four statistical voices, one of them held out."""
    from workshop.speech_training import flite as voice

    english = texts.english_sentences(rng)
    for number in itertools.count():
        name = voice.VOICES[number % len(voice.VOICES)]
        pcm, known = voice.speak(next(english), name, rng.uniform(0.8, 1.3))
        yield f"en_{_part(name == _FLITE_HELD)}_{number:04d}", pcm, known


def piper(rng: random.Random) -> Iterator[Recording]:
    """English in one neural voice; every eighth sentence is held out."""
    from workshop.speech_training import piper as voice

    english = texts.english_sentences(rng)
    for number in itertools.count():
        pcm, known = voice.speak(next(english), rng.uniform(0.8, 1.25))
        yield f"en_{_part(number % _HELD_EVERY == _HELD_EVERY - 1)}_{number:04d}", pcm, known


def kokoro(folder: Path, rng: random.Random) -> Iterator[Recording]:
    """English and Mandarin in blends of 36 neural voices, six of them held out.

    English is timed by forced alignment, Mandarin by the network itself.
    """
    from workshop.speech_training import align, prompts
    from workshop.speech_training import kokoro as voice

    english, mandarin = texts.english_sentences(rng), texts.mandarin_sentences(rng)
    for number in itertools.count():
        held = number % _KOKORO_HELD_EVERY == _KOKORO_HELD_EVERY - 1
        for language, beginnings in (("en", "ab"), ("zh", "z")):
            names = [name for name in voice.voices(folder, beginnings) if (name in _KOKORO_HELD) == held]
            first, second = rng.choice(names), rng.choice(names)
            if language == "zh" and not held and rng.random() < _BORROWED:
                second = rng.choice([name for name in voice.voices(folder, "ab") if name not in _KOKORO_HELD])
            style = voice.random_style(rng, folder, first, second)
            speed = rng.uniform(0.8, 1.35)
            if language == "zh":
                pcm, known = voice.speak(voice.phonemes_of_mandarin(next(mandarin)), style, speed)
            else:
                text = next(english)
                pcm, known = voice.speak(voice.phonemes_of_english(text), style, speed)
                with contextlib.suppress(ValueError):
                    known = align.align(pcm, prompts.plain_words(text))
            yield f"{language}_{_part(held)}_{number:04d}", pcm, known


def abroad(folder: Path, rng: random.Random) -> Iterator[Recording]:
    """Mandarin in blends of the neural voices of all other languages, four of them held out."""
    from workshop.speech_training import kokoro as voice

    held_names = {*_KOKORO_HELD, *_KOKORO_ABROAD_HELD}
    for number, syllables in enumerate(texts.mandarin_sentences(rng)):
        held = number % _KOKORO_HELD_EVERY == _KOKORO_HELD_EVERY - 1
        if held:
            names = natives = list(_KOKORO_ABROAD_HELD)
        else:
            names, natives = (
                [name for name in voice.voices(folder, beginnings) if name not in held_names]
                for beginnings in ("abefhijp", "z")
            )
        first = rng.choice(names)
        second = rng.choice(natives if rng.random() < _NATIVE else names)
        style = voice.random_style(rng, folder, first, second)
        pcm, known = voice.speak(voice.phonemes_of_mandarin(syllables), style, rng.uniform(0.75, 1.4))
        yield f"zh_{_part(held)}_{number:04d}", pcm, known


def baker(rng: random.Random) -> Iterator[Recording]:
    """Mandarin in one neural voice, all of it held out."""
    from workshop.speech_training import baker as voice

    for number, syllables in enumerate(texts.mandarin_phrases(rng)):
        try:
            pcm, known = voice.speak(syllables, rng.uniform(0.85, 1.2))
        except (KeyError, ValueError):  # a syllable the voice does not know
            continue
        yield f"zh_held_{number:04d}", pcm, known


def zhuyin(folder: Path, rng: random.Random) -> Iterator[Recording]:
    """Mandarin syllables of two real speakers in rows of ten; one speaker is held out."""
    from workshop.speech_training import prompts
    from workshop.speech_training import zhuyin as voice

    recordings = {name: voice.syllables(folder, name) for name in voice.SPEAKERS}
    for number in itertools.count():
        for speaker, paths in recordings.items():
            chosen: list[tuple[str, NDArray[np.float32]]] = []
            while len(chosen) < _SYLLABLES:
                path = rng.choice(paths)
                try:
                    voice.split(path.parent.name)
                except ValueError:  # a bare initial, read out as in spelling
                    continue
                chosen.append((path.parent.name, prompts.decode(path)))
            pcm, known = voice.connected(chosen, rng)
            yield f"zh_{_part(speaker == voice.HELD_SPEAKER)}_{speaker}_{number:04d}", pcm, known


def russian(folder: Path, rng: random.Random) -> Iterator[Recording]:
    """Real Russian, read; all of it for training."""
    from workshop.speech_training import russian as voice

    del rng
    for name, pcm, known in voice.sentences(folder):
        yield f"ru_{_part(held=False)}_{name}", pcm, known


def diphones(folder: Path, rng: random.Random) -> Iterator[Recording]:
    """Rows of sounds in the diphone voices of ten real speakers, three of them held out."""
    from workshop.speech_training import diphones as voice

    for number in itertools.count():
        for name, speaker in voice.VOICES.items():
            held = name in _DIPHONES_HELD
            if not held or number % _DIPHONES_HELD_EVERY == 0:
                yield f"xx_{_part(held)}_{name}_{number:04d}", *voice.speak(folder, speaker, rng)


def transcribed(folder: Path, rng: random.Random) -> Iterator[Recording]:
    """Real speech in ten languages, timed by the recogniser in use; two speakers are held out.

    Short recordings of one speaker are joined, so that a sound is met late in a piece as often as early.
    """
    from engines.portrait.speech.recogniser import WEIGHTS, load_network
    from workshop.speech_training import timing, transcripts

    del rng
    network = load_network(WEIGHTS)
    for speaker, utterances in itertools.groupby(
        transcripts.utterances(folder), key=lambda said: said.speaker
    ):
        part, row = _part(speaker in _TRANSCRIBED_HELD), []
        for number, utterance in enumerate(utterances):
            try:
                pcm = utterance.samples()
                timed = timing.align(pcm, utterance.words(), network)
            except ValueError:  # nothing to read, or a text that the recording does not hold
                continue
            if timed.fit > _BEST_UNFIT:
                row.append((pcm, timed.labels))
            if sum(len(samples) for samples, _ in row) > _ROW_S * SAMPLE_RATE:
                yield f"{utterance.language}_{part}_{speaker}_{number:04d}", *labels.join(row)
                row = []


def syllables(folder: Path, rng: random.Random) -> Iterator[Recording]:
    """Rows of syllables by real speakers of seven languages, timed by the recogniser in use."""
    from engines.portrait.speech.recogniser import WEIGHTS, load_network
    from workshop.speech_training import prompts
    from workshop.speech_training import syllables as voice

    network = load_network(WEIGHTS)
    known = {language: voice.recordings(folder, language) for language in voice.LANGUAGES}
    for number in itertools.count():
        for language, recordings in known.items():
            chosen = [(prompts.decode(path), units) for path, units in rng.choices(recordings, k=_SYLLABLES)]
            try:
                pcm, timed = voice.joined(chosen, network, rng)
            except ValueError:  # units that do not fit the recordings
                continue
            yield f"{language[:2]}_{_part(held=False)}_{number:04d}", pcm, timed


def librivox(folder: Path, rng: random.Random) -> Iterator[Recording]:
    """Real English, read; all of it held out."""
    from workshop.speech_training import prompts

    del rng
    for name, pcm, known in prompts.readings(folder):
        yield f"en_held_{name}", pcm, known


def asterisk(folder: Path, rng: random.Random) -> Iterator[Recording]:
    """Real English, announced; all of it held out."""
    from workshop.speech_training import prompts

    del rng
    for name, pcm, known in prompts.announcements(folder):
        yield f"en_held_{name}", pcm, known


def _part(held: bool) -> str:
    return "held" if held else "train"


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description="Make speech with known sound timings.")
    synthetic = {"espeak": espeak, "flite": flite, "piper": piper, "baker": baker}
    recorded = {
        "kokoro": kokoro,
        "abroad": abroad,
        "zhuyin": zhuyin,
        "russian": russian,
        "diphones": diphones,
        "transcribed": transcribed,
        "syllables": syllables,
        "librivox": librivox,
        "asterisk": asterisk,
    }
    parser.add_argument("source", choices=[*synthetic, *recorded])
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=240, help="recordings to make at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the voices of kokoro or the recordings lie")
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311
    if options.source in synthetic:
        recordings = synthetic[options.source](rng)
    elif options.folder is None:
        parser.error(f"{options.source} needs --folder")
    else:
        recordings = recorded[options.source](options.folder, rng)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, pcm, known in itertools.islice(recordings, options.count):
        labels.write(options.out / name, pcm, known)


if __name__ == "__main__":
    main()
