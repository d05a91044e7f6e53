"""What the mouth does while people really speak."""

from dataclasses import replace

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.portrait.speech import (
    VisemeTrack,
    activity,
    analyse,
    coarticulation,
    features,
    recogniser,
    track_of,
)
from engines.portrait.speech.smoothing import runs
from engines.portrait.speech.units import UNIT_INDEX, UNITS
from tests.engines.portrait.speech.signals import (
    LONGER_SENTENCE,
    LONGER_SENTENCE_LIPS_CLOSED_S,
    MEDIA,
    SENTENCE,
    SENTENCE_LIPS_CLOSED_S,
    Samples,
    noise,
    recording,
    silence,
)
from workshop.evaluate import curves

FRAME_S = 0.04


def mandarin() -> Samples:
    """The synthetic Mandarin of tests/media at 16 kHz."""
    resampler = av.AudioResampler("s16", "mono", 16_000)
    with av.open(str(MEDIA / "speech-zh-synthetic.wav")) as file:
        pieces = [piece for frame in file.decode(audio=0) for piece in resampler.resample(frame)]
    samples = np.concatenate([piece.to_ndarray().ravel() for piece in pieces])
    return samples.astype(np.float32) / np.float32(32768)


@pytest.fixture(scope="module")
def track() -> VisemeTrack:
    return analyse(recording(SENTENCE))


def closed_between(track: VisemeTrack, start_s: float, end_s: float) -> bool:
    moments = np.arange(len(track)) / track.fps
    there = (moments >= start_s - FRAME_S) & (moments <= end_s + FRAME_S)
    return bool((track.shapes[there, 5] >= 0.5).any())


def test_the_lips_meet_at_nearly_every_m_and_b_of_a_real_sentence(track: VisemeTrack) -> None:
    met = [closed_between(track, start, end) for start, end in SENTENCE_LIPS_CLOSED_S]

    assert sum(met) >= len(met) - 1, met


def test_the_lips_stay_apart_where_no_m_or_b_is_spoken(track: VisemeTrack) -> None:
    moments = np.arange(len(track)) / track.fps
    elsewhere = np.ones(len(track), bool)
    for start, end in SENTENCE_LIPS_CLOSED_S:
        elsewhere &= (moments < start - 2 * FRAME_S) | (moments > end + 2 * FRAME_S)

    assert (track.shapes[elsewhere, 5] >= 0.5).mean() < 0.06


def tongue_between(track: VisemeTrack, start_s: float, end_s: float) -> tuple[float, float]:
    """How far the tongue's tip is raised and put out at the most."""
    raised, out = track.shapes[round(start_s * track.fps) : round(end_s * track.fps) + 1, 6:].max(axis=0)
    return float(raised), float(out)


def test_the_tongue_rises_for_l_and_lies_for_vowels_hisses_and_silence(track: VisemeTrack) -> None:
    """In "he might even have been made amiable himself"."""
    raised, out = tongue_between(track, 2.17, 2.29)
    assert raised > 0.9
    assert out < 0.1
    for start, end in ((0.0, 0.24), (0.48, 0.56), (1.40, 1.48), (2.48, 2.56), (3.04, 3.3)):
        assert tongue_between(track, start, end) == (0.0, 0.0)


def test_the_tongue_is_put_out_for_th() -> None:
    """In the "then" of "had then leisure"."""
    raised, out = tongue_between(analyse(recording(LONGER_SENTENCE)), 1.80, 1.92)
    assert raised > 0.9
    assert out > 0.9


def test_a_short_l_raises_the_tongue_all_the_way_and_lets_it_down_at_once() -> None:
    posteriors = np.zeros((60, len(UNITS)), np.float32)
    posteriors[:, UNIT_INDEX["a"]] = 1
    posteriors[27:33] = 0
    posteriors[27:33, UNIT_INDEX["l"]] = 0.9
    raised, out = coarticulation.tongue_tip(posteriors).T
    assert raised.max() > 0.95
    assert raised[[20, 40]].max() < 0.05
    assert out.max() == 0


def test_few_closures_are_spurious(track: VisemeTrack) -> None:
    spurious = total = 0
    for shown, spoken in (
        (track, SENTENCE_LIPS_CLOSED_S),
        (analyse(recording(LONGER_SENTENCE)), LONGER_SENTENCE_LIPS_CLOSED_S),
    ):
        for first, last in runs(shown.shapes[:, 5] >= 0.5):
            begin, end = first * FRAME_S, (last - 1) * FRAME_S
            total += 1
            spurious += not any(begin <= stop + FRAME_S and end >= start - FRAME_S for start, stop in spoken)

    assert total >= len(SENTENCE_LIPS_CLOSED_S)
    assert spurious <= total / 3


def test_the_mouth_is_open_in_vowels_and_moves(track: VisemeTrack) -> None:
    speaking = ~track.silence

    assert np.percentile(track.aperture[speaking], 90) > 0.35
    assert track.aperture[speaking].std() > 0.1


def test_pauses_before_and_after_speech_keep_the_mouth_shut() -> None:
    pcm = np.concatenate([silence(1.0), recording(SENTENCE), silence(1.0)])

    track = analyse(pcm)

    assert track.silence[:24].all()
    assert track.silence[-24:].all()
    assert track.aperture[:24].max() == track.aperture[-23:].max() == 0


@pytest.mark.parametrize(("seconds", "ajar"), [(0.3, True), (1.0, False)])
def test_only_a_short_pause_within_speech_leaves_the_mouth_ajar(seconds: float, ajar: bool) -> None:
    pcm = recording(SENTENCE)

    track = analyse(np.concatenate([pcm, silence(seconds), pcm]))

    middle = round((len(pcm) / 16_000 + seconds / 2) * 25)
    assert track.silence[middle]
    held = track.aperture[middle - 1 : middle + 2]
    speaking = track.aperture[~track.silence].mean()
    assert (held > 0.5 * speaking).all() if ajar else (held == 0).all()


def test_volume_does_not_change_the_mouth(track: VisemeTrack) -> None:
    quiet = analyse(recording(SENTENCE) * 0.1)

    assert np.corrcoef(quiet.aperture, track.aperture)[0, 1] > 0.97
    assert quiet.aperture.mean() == pytest.approx(track.aperture.mean(), rel=0.15)


def test_steady_noise_below_the_voice_changes_little(track: VisemeTrack) -> None:
    pcm = recording(SENTENCE)
    level = float(np.sqrt((pcm**2).mean())) * 0.1

    noisy = analyse(pcm + noise(len(pcm) / 16_000, level)[: len(pcm)])

    assert np.corrcoef(noisy.aperture, track.aperture)[0, 1] > 0.8


def test_a_later_sound_moves_the_mouth_later_by_just_as_much() -> None:
    pcm = recording(SENTENCE)
    plain = analyse(pcm).aperture
    later = analyse(np.concatenate([silence(0.2), pcm])).aperture[5 : 5 + len(plain)]

    shift, similarity = curves.lag(later[: len(plain)], plain[: len(later)], reach=6)

    assert shift == 0
    assert similarity is not None
    assert similarity > 0.95


def test_jaw_and_loudness_move_together() -> None:
    pcm = recording("speech-en-librivox-0870.wav")
    track = analyse(pcm)

    shift, _ = curves.lag(track.shapes[:, 0], track.energy, reach=6)

    assert shift is not None
    assert abs(shift) <= 1


@pytest.mark.parametrize(("loudness", "wider"), [((0.4, 0.8), 1.0), ((0.6, 0.6), 1.0), ((0.9, 0.9), 1.14)])
def test_a_loud_phrase_opens_wider_but_not_a_loud_sound_within_it(
    loudness: tuple[float, float], wider: float
) -> None:
    """Sounds as they are, the loudness of every other tenth of a second as given."""
    pcm = recording(SENTENCE)
    signal = features.extract(pcm)
    heard = activity.detect(signal)
    sounds = recogniser.recognise(pcm, heard.speech)

    def jaw(*levels: float) -> NDArray[np.float32]:
        steps = np.resize(np.repeat(np.array(levels, np.float32), 10), len(signal))
        spoken = replace(heard, loudness=steps * heard.speech)
        return track_of(sounds, signal, spoken, len(pcm), 25).shapes[:, 0]

    even, other = jaw(0.6, 0.6), jaw(*loudness)

    assert np.corrcoef(even, other)[0, 1] > 0.995
    assert other.mean() == pytest.approx(even.mean() * wider, rel=0.02)


def test_english_and_mandarin_are_told_apart() -> None:
    assert analyse(recording("speech-en-librivox-0870.wav")).language == "en"
    assert analyse(mandarin()).language == "zh"


def test_a_single_short_sound_has_no_language() -> None:
    assert analyse(recording(SENTENCE)[4800:9600]).language == "und"


def test_a_long_recording_reads_like_its_parts() -> None:
    """Longer than what the encoder takes at once."""
    part = recording("speech-en-librivox-0870.wav")
    pause = silence(0.5)
    repeated = np.concatenate([np.concatenate([part, pause])] * 5)

    whole = analyse(repeated)

    alone = analyse(np.concatenate([part, pause]))
    period = (len(part) + len(pause)) * 25 / 16_000
    for turn in range(5):
        start = round(turn * period)
        section = whole.aperture[start : start + 170]
        assert np.corrcoef(section, alone.aperture[:170])[0, 1] > 0.97
