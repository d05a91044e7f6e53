"""The parts of the training tools that have known answers."""

import gzip
import itertools
import random
from pathlib import Path

import numpy as np
import pytest

from engines.portrait.speech import features, recogniser
from engines.portrait.speech.units import UNIT_INDEX, UNITS
from engines.portrait.speech.visemes import VISEMES
from tests.engines.portrait.speech.signals import noise, recording
from workshop.speech_training import (
    augment,
    diphones,
    ipa,
    labels,
    prompts,
    realign,
    russian,
    spelling,
    syllables,
    timing,
    transcripts,
    zhuyin,
)


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


def test_transcripts_are_found_with_their_recordings(tmp_path: Path) -> None:
    def put(name: str, content: bytes = b"") -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)

    put("a/sounds/fr_CA_f_June/digits/pound.g722")
    texts = "; Core Sounds\n\ndigits/pound: dièse\nnever-recorded: Rien.\n"
    put("b/core-sounds-fr.txt.gz", gzip.compress(texts.encode()))
    put("c/tuxpaint/stamps/birds/crow.txt", "A crow.\nes.utf8=Un cuervo.\nde.utf8=Eine Krähe.\n".encode())
    put("c/tuxpaint/stamps/birds/crow_desc_es.ogg")
    put("d/script/city/dialogs_cs.lua", b'dialogId("x-1", "font", "Yes.")\ndialogStr("Ano.")\n')
    put("d/sound/city/cs/x-1.ogg")

    found = list(transcripts.utterances(tmp_path))

    assert [(item.speaker, item.language, item.name, item.text) for item in found] == [
        ("announcement-fr", "fr", "digits-pound", "dièse"),
        ("picture-es", "es", "birds-crow", "Un cuervo."),
        ("dialogue-cs", "cs", "x-1", "Ano."),
    ]


@pytest.mark.parametrize(
    ("spelled", "units"),
    [
        ("ˈu_n_a p_ˈe_ɾ_a", [["u", "n", "a"], ["p", "e", "t", "a"]]),
        ("b_ɔ̃_ʒ_ˈu_ʁ", [["p", "o", "sh", "u", "h"]]),
        ("(en)dʒ_ˈʌ_m_p(fr)", [["sh", "uh", "m", "p"]]),
    ],
)
def test_what_espeak_spells_becomes_units(spelled: str, units: list[list[str]]) -> None:
    assert spelling.units_of(spelled) == units


def test_known_words_are_timed_by_the_recogniser() -> None:
    """Two words of a longer sentence: asked for are their order and length, and silence at the ends."""
    pcm = np.concatenate([np.zeros(8000, np.float32), recording("speech-en-librivox-0870.wav")])
    network = recogniser.load_network(recogniser.WEIGHTS)

    timed = timing.align(pcm, [["a", "n", "t"], ["m", "i"]], network)

    spoken = [label for label in timed.labels if label.name not in {"sil", labels.UNKNOWN}]
    assert [label.name for label in spoken] == ["a", "n", "t", "m", "i"]
    assert all(label.end_s - label.start_s > 0.025 for label in spoken)
    assert timed.labels[0].name == "sil"
    assert timed.labels[0].end_s > 0.4
    assert timed.labels[-1].end_s == pytest.approx(len(pcm) / 16_000, abs=0.02)
    for before, after in itertools.pairwise(timed.labels):
        assert before.end_s == after.start_s
    with pytest.raises(ValueError, match="more sounds"):
        timing.align(pcm[:3200], [["a", "n", "t", "m", "i"] * 3], network)


def test_a_silence_in_which_something_is_heard_is_doubted() -> None:
    """The words say nothing of the speech in the middle of the recording."""
    pcm = np.concatenate(
        [recording(name) for name in ("speech-en-librivox-0930.wav", "speech-en-librivox-0870.wav")]
    )
    network = recogniser.load_network(recogniser.WEIGHTS)

    timed = timing.align(pcm, [["h", "i"]], network)

    unknown_s = sum(label.end_s - label.start_s for label in timed.labels if label.name == "-")
    assert unknown_s > 0.3 * len(pcm) / 16_000


def test_recordings_are_joined_with_their_labels() -> None:
    one = np.zeros(16_000, np.float32)
    known = [labels.Label(0.0, 0.25, "sil"), labels.Label(0.25, 0.75, "a"), labels.Label(0.75, 1.0, "sil")]

    pcm, joined = labels.join([(one, known), (one, known)])

    assert len(pcm) == 32_000
    assert joined == [
        labels.Label(0.0, 0.25, "sil"),
        labels.Label(0.25, 0.75, "a"),
        labels.Label(0.75, 1.25, "sil"),
        labels.Label(1.25, 1.75, "a"),
        labels.Label(1.75, 2.0, "sil"),
    ]


@pytest.mark.parametrize(
    ("name", "language", "units"),
    [
        ("ba", "es", ["p", "a"]),
        ("ce", "it", ["sh", "e"]),
        ("bhoo", "ml", ["p", "o"]),
        ("va", "es", ["p", "a"]),
        ("u", "tn", ["u"]),
    ],
)
def test_names_of_syllables_are_read_in_their_language(name: str, language: str, units: list[str]) -> None:
    assert syllables.units_of(name, language) == units


@pytest.mark.parametrize("name", ["bron", "x", "trta", "ad-01"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="syllable"):
        syllables.units_of(name, "es")
