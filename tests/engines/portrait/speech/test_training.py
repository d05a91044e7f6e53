"""The parts of the training tools that have known answers."""

import itertools
import random
from pathlib import Path

import numpy as np
import pytest

from tests.engines.portrait.speech.signals import noise
from videos.engines.portrait.speech import features
from videos.engines.portrait.speech.training import (
    augment,
    blend,
    diphones,
    ipa,
    labels,
    prompts,
    realign,
    russian,
    zhuyin,
)
from videos.engines.portrait.speech.units import UNIT_INDEX, UNITS
from videos.engines.portrait.speech.visemes import VISEMES


@pytest.mark.parametrize(
    ("syllable", "expected"),
    [
        ("ba1", "pa→"),
        ("pang2", "pʰaŋ↗"),
        ("xue2", "ɕɥe↗"),
        ("yu3", "y↓"),
        ("wo3", "wo↓"),
        ("zhi4", "ꭧɨ↘"),
        ("liu2", "ljou↗"),
        ("lv4", "ly↘"),
        ("ma5", "ma"),
    ],
)
def test_pinyin_is_read_as_in_textbooks(syllable: str, expected: str) -> None:
    assert ipa.pinyin_to_ipa(syllable) == expected


@pytest.mark.parametrize("text", ["", "hello", "bx1", "3"])
def test_what_is_no_syllable_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a pinyin syllable"):
        ipa.split_pinyin(text)


def test_zhuyin_splits_into_initial_and_final() -> None:
    assert zhuyin.split("ㄇㄧㄥ2") == ("m", "iŋ")
    assert zhuyin.split("ㄓ1") == ("ʂ", "ɨ")


def test_every_sound_of_the_tables_is_a_unit_with_a_lip_shape() -> None:
    spelled = {unit for units in [*ipa.IPA_UNITS.values(), *ipa.ARPABET_UNITS.values()] for unit in units}

    assert spelled <= set(UNITS)
    assert set(VISEMES) == set(UNITS)


def test_labels_are_read_as_written(tmp_path: Path) -> None:
    pcm = noise(0.5, 0.1)
    known = [labels.Label(0.0, 0.25, "m"), labels.Label(0.25, 0.5, labels.UNKNOWN)]

    labels.write(tmp_path / "en_x", pcm, known)
    read_pcm, read = labels.read(tmp_path / "en_x.wav")

    assert read == known
    np.testing.assert_allclose(read_pcm, pcm, atol=1e-4)


def test_the_short_rest_before_a_stop_belongs_to_the_stop() -> None:
    signal = features.extract(noise(0.6, 0.1))
    known = [labels.Label(0, 0.2, "a"), labels.Label(0.2, 0.25, "sil"), labels.Label(0.25, 0.6, "p")]

    assert labels.per_frame(known, signal)[22] == UNIT_INDEX["p"]


def test_boundaries_move_to_where_the_sounds_are_heard() -> None:
    heard = np.full((60, len(UNITS)), 1e-4, np.float32)
    heard[:33, UNIT_INDEX["a"]] = 1
    heard[33:, UNIT_INDEX["m"]] = 1
    known = [labels.Label(0, 0.27, "a"), labels.Label(0.27, 0.6, "m")]

    moved = realign.realign(known, np.log(heard))

    assert [label.name for label in moved] == ["a", "m"]
    assert moved[0].end_s == moved[1].start_s == pytest.approx(0.33)


def test_joined_syllables_are_labelled_without_gaps_to_their_end() -> None:
    tone = np.sin(np.arange(8000) * 0.1).astype(np.float32)
    recordings = [(name, tone) for name in ("ㄅㄚ4", "ㄇㄧㄥ2", "ㄓ1", "ㄢ1")]

    pcm, known = zhuyin.connected(recordings, random.Random(5))

    assert [label.name for label in known if label.name in ("p", "m", "sh")] == ["p", "p", "m", "sh", "sh"]
    assert known[0].start_s == 0
    assert known[-1].end_s == pytest.approx(len(pcm) / 16_000, abs=0.01)
    for before, after in itertools.pairwise(known):
        assert before.end_s == pytest.approx(after.start_s, abs=0.02)


def test_transcripts_become_words_of_a_dictionary() -> None:
    assert prompts.plain_words('Press 1, or "don\'t"!') == "press one or don't"


def test_a_labelled_sentence_is_read_with_units_for_its_sounds(tmp_path: Path) -> None:
    for folder in ("wav", "lab"):
        (tmp_path / folder).mkdir()
    labels.write(tmp_path / "wav" / "ru_0001", noise(0.6, 0.1), [])
    (tmp_path / "lab" / "ru_0001.lab").write_text("#\n0.2 125 pau\n0.3 125 bb\n0.6 125 aa\n")

    ((name, pcm, known),) = russian.sentences(tmp_path)

    assert (name, len(pcm)) == ("ru-0001", 9600)
    assert known == [labels.Label(0, 0.2, "sil"), labels.Label(0.2, 0.3, "p"), labels.Label(0.3, 0.6, "a")]


def test_a_diphone_voice_says_only_what_it_has_recordings_of(tmp_path: Path) -> None:
    pairs = {("#", "p"), ("#", "a"), ("p", "a"), ("a", "p"), ("a", "m"), ("m", "a"), ("a", "#")}
    index = tmp_path / "voice.group"
    entries = "".join(f"{first}-{second} 100 200 3\n" for first, second in sorted(pairs))
    index.write_bytes(b"EST_File index\nNumEntries 8\n" + entries.encode() + b"a-click 100 200 3\n\xff\x00")
    voice = diphones.Voice("test", "voice.group", {"a": "a", "m": "m", "p": "p"}, "#", 120)

    sounds = diphones.phrases(diphones.followers(index, voice), voice, random.Random(5))

    names = [sound.name for sound in sounds]
    assert set(itertools.pairwise(names)) <= pairs
    assert (names[0], names[-1], set(names)) == ("#", "#", {"#", "a", "m", "p"})
    assert all(0.03 < sound.length_s < 0.7 for sound in sounds)


def test_every_sound_of_the_diphone_voices_is_a_unit() -> None:
    units = {unit for voice in diphones.VOICES.values() for unit in " ".join(voice.units.values()).split()}

    assert units <= set(UNITS)


@pytest.mark.parametrize("seed", range(4))
def test_a_recording_is_cut_within_a_consonant_and_nothing_is_lost(seed: int) -> None:
    pcm = noise(1.5, 0.1)
    known = [labels.Label(0, 0.6, "a"), labels.Label(0.6, 0.75, "p"), labels.Label(0.75, 1.5, "a")]

    (first, before), (second, after) = augment.cut(pcm, known, np.random.default_rng(seed))

    rest = len(first) + len(second) - len(pcm)
    np.testing.assert_array_equal(np.concatenate([first, second[rest:]]), pcm)
    assert [label.name for label in before] == ["a", "p"]
    assert [label.name for label in after] in (["p", "a"], ["sil", "p", "p", "a"])
    assert after[-2].end_s - rest / 16_000 >= 0.019
    assert after[-1].end_s == pytest.approx(len(second) / 16_000, abs=0.001)


@pytest.mark.parametrize("seed", range(4))
def test_coarse_coding_leaves_sound_6_to_22_db_above_its_errors(seed: int) -> None:
    pcm = noise(0.5, 0.1)

    heard = augment.coded(pcm, np.random.default_rng(seed))

    error_db = 20 * np.log10(np.std(heard - pcm) / np.std(pcm))
    assert len(heard) == len(pcm)
    assert -24 < error_db < -3


def test_blended_weights_lie_between_and_a_new_block_starts_from_nothing() -> None:
    def weights(value: float, blocks: int) -> dict[str, np.ndarray]:
        names = ["first", *(f"{part}{index}" for index in range(blocks) for part in ("inner", "outer"))]
        arrays = {name: np.full(3, value + index, np.float16) for index, name in enumerate(names)}
        return {"dilations": np.arange(blocks), **arrays}

    old, new = weights(0, 2), weights(10, 3)
    mixed = blend.blend(old, new, 0.5, added=1)
    assert mixed["dilations"].tolist() == [0, 1, 2]
    assert mixed["first"].tolist() == [5] * 3
    assert mixed["inner0"].tolist() == [6] * 3
    assert mixed["inner1"].tolist() == new["inner1"].tolist()
    assert (mixed["outer1"] * 2).tolist() == new["outer1"].tolist()
    assert mixed["inner2"].tolist() == [(3 + 15) / 2] * 3
