"""The network that tells sounds apart, run with NumPy."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engines.portrait.speech.signals import SENTENCE, Samples, recording, silence
from videos.engines.portrait.speech import activity, encoder, features, recogniser
from videos.engines.portrait.speech.units import BILABIALS, UNIT_INDEX, UNITS


def sounds_of(pcm: Samples) -> recogniser.Sounds:
    return recogniser.recognise(pcm, activity.detect(features.extract(pcm)).speech)


@pytest.fixture(scope="module")
def states() -> NDArray[np.float32]:
    """States of a real recording, repeated to several pieces."""
    pcm = np.tile(recording("speech-en-librivox-0870.wav"), 5)
    return encoder.encode(pcm, activity.detect(features.extract(pcm)).speech)


def test_probabilities_are_probabilities(states: NDArray[np.float32]) -> None:
    count = 2 * len(states) - 1

    sounds = recogniser.classify(recogniser.load_network(recogniser.WEIGHTS), states, count)

    assert sounds.posteriors.shape == (count, len(UNITS))
    assert sounds.closed.shape == (count,)
    np.testing.assert_allclose(sounds.posteriors.sum(axis=1), 1, atol=1e-4)
    assert ((sounds.closed >= 0) & (sounds.closed <= 1)).all()


def test_a_frame_is_judged_by_the_states_within_reach(states: NDArray[np.float32]) -> None:
    network = recogniser.load_network(recogniser.WEIGHTS)
    reach = network.reach(states.shape[1])
    middle = slice(950, 1100)

    whole = recogniser.classify(network, states, 2 * len(states))
    near = states[middle.start - reach : middle.stop + reach]
    part = recogniser.classify(network, near, 2 * len(near))

    assert len(states) > 1100 + reach
    kept, there = slice(2 * reach, -2 * reach), slice(2 * middle.start, 2 * middle.stop)
    np.testing.assert_allclose(part.closed[kept], whole.closed[there], atol=1e-4)
    np.testing.assert_allclose(part.posteriors[kept], whole.posteriors[there], atol=1e-4)


def test_units_and_closure_agree_on_the_bilabials(states: NDArray[np.float32]) -> None:
    network = recogniser.load_network(recogniser.WEIGHTS)

    sounds = recogniser.classify(network, states, 2 * len(states))

    bilabial = sounds.posteriors[:, [UNIT_INDEX[name] for name in BILABIALS]].sum(axis=1)
    assert np.corrcoef(bilabial, sounds.closed)[0, 1] > 0.8


def test_a_sentence_is_heard_alike_wherever_the_pieces_of_the_encoder_begin() -> None:
    """The second time it lies across the seam of two pieces."""
    pcm = recording(SENTENCE)
    lead = silence(6 - len(pcm) // 640 * 320 / 16_000)

    alone = sounds_of(pcm)
    within = sounds_of(np.concatenate([lead, pcm, silence(4)]))

    there = slice(len(lead) // 160, len(lead) // 160 + len(alone.closed))
    assert np.corrcoef(alone.closed, within.closed[there])[0, 1] > 0.97
    assert np.corrcoef(alone.posteriors.ravel(), within.posteriors[there].ravel())[0, 1] > 0.95


def test_where_nobody_speaks_only_silence_is_heard() -> None:
    sounds = recogniser.recognise(silence(1), np.zeros(101, bool))

    assert (sounds.posteriors[:, UNIT_INDEX["sil"]] == 1).all()
    assert (sounds.closed == 0).all()
