"""The network that tells sounds apart, run with NumPy."""

import numpy as np
import pytest

from engines.portrait.speech import activity, encoder, features, recogniser
from engines.portrait.speech.units import BILABIALS, UNIT_INDEX, UNITS
from tests.engines.portrait.speech.signals import SENTENCE, Samples, recording, silence


def sounds_of(pcm: Samples) -> recogniser.Sounds:
    return recogniser.recognise(pcm, activity.detect(features.extract(pcm)).speech)


@pytest.fixture(scope="module")
def pcm() -> Samples:
    """A real recording, repeated to several pieces of the encoder."""
    return np.tile(recording("speech-en-librivox-0870.wav"), 5)


@pytest.fixture(scope="module")
def sounds(pcm: Samples) -> recogniser.Sounds:
    return sounds_of(pcm)


def test_probabilities_are_probabilities(pcm: Samples, sounds: recogniser.Sounds) -> None:
    count = len(pcm) // 160 + 1

    assert sounds.posteriors.shape == (count, len(UNITS))
    assert sounds.closed.shape == (count,)
    np.testing.assert_allclose(sounds.posteriors.sum(axis=1), 1, atol=1e-4)
    assert ((sounds.closed >= 0) & (sounds.closed <= 1)).all()


def test_a_frame_is_judged_by_the_states_within_reach(pcm: Samples) -> None:
    states = encoder.encode(pcm, activity.detect(features.extract(pcm)).speech)
    network = recogniser.load_network(recogniser.WEIGHTS)
    reach = network.reach(states.shape[1])

    whole = network.scores(states)
    part = network.scores(states[950 - reach : 1100 + reach])

    assert len(states) > 1100 + reach
    np.testing.assert_allclose(part, whole[2 * (950 - reach) : 2 * (1100 - reach)], atol=1e-4)


def test_units_and_closure_agree_on_the_bilabials(sounds: recogniser.Sounds) -> None:
    bilabial = sounds.posteriors[:, [UNIT_INDEX[name] for name in BILABIALS]].sum(axis=1)

    assert np.corrcoef(bilabial, sounds.closed)[0, 1] > 0.8


def test_a_sentence_is_heard_alike_wherever_the_pieces_of_the_encoder_begin() -> None:
    """The second time it lies across the seam of two pieces."""
    sentence = recording(SENTENCE)
    lead = silence(6 - len(sentence) // 640 * 320 / 16_000)

    alone = sounds_of(sentence)
    within = sounds_of(np.concatenate([lead, sentence, silence(4)]))

    there = slice(len(lead) // 160, len(lead) // 160 + len(alone.closed))
    assert np.corrcoef(alone.closed, within.closed[there])[0, 1] > 0.97
    assert np.corrcoef(alone.posteriors.ravel(), within.posteriors[there].ravel())[0, 1] > 0.95


def test_where_nobody_speaks_only_silence_is_heard() -> None:
    sounds = recogniser.recognise(silence(1), np.zeros(101, bool))

    assert (sounds.posteriors[:, UNIT_INDEX["sil"]] == 1).all()
    assert (sounds.closed == 0).all()
