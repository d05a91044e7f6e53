"""The network that tells sounds apart, run with NumPy."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engines.portrait.speech.signals import recording
from videos.engines.portrait.speech import activity, features, recogniser
from videos.engines.portrait.speech.units import BILABIALS, UNIT_INDEX, UNITS


@pytest.fixture(scope="module")
def spectra() -> NDArray[np.float32]:
    """Normalised spectra of a real recording, repeated to more than one block."""
    signal = features.extract(np.tile(recording("speech-en-librivox-0870.wav"), 5))
    return recogniser.normalise(signal.mel_db, activity.detect(signal).speech)


def test_probabilities_are_probabilities(spectra: NDArray[np.float32]) -> None:
    sounds = recogniser.classify(recogniser.load_network(recogniser.WEIGHTS), spectra)

    assert sounds.posteriors.shape == (len(spectra), len(UNITS))
    assert sounds.closed.shape == (len(spectra),)
    np.testing.assert_allclose(sounds.posteriors.sum(axis=1), 1, atol=1e-4)
    assert ((sounds.closed >= 0) & (sounds.closed <= 1)).all()


def test_a_frame_is_judged_alike_wherever_the_blocks_begin(spectra: NDArray[np.float32]) -> None:
    network = recogniser.load_network(recogniser.WEIGHTS)
    reach = network.reach(spectra.shape[1])
    middle = slice(1900, 2200)

    whole = recogniser.classify(network, spectra)
    part = recogniser.classify(network, spectra[middle.start - reach : middle.stop + reach])

    assert len(spectra) > 2200 + reach
    np.testing.assert_allclose(part.closed[reach:-reach], whole.closed[middle], atol=1e-4)
    np.testing.assert_allclose(part.posteriors[reach:-reach], whole.posteriors[middle], atol=1e-4)


def test_units_and_closure_agree_on_the_bilabials(spectra: NDArray[np.float32]) -> None:
    sounds = recogniser.classify(recogniser.load_network(recogniser.WEIGHTS), spectra)

    bilabial = sounds.posteriors[:, [UNIT_INDEX[name] for name in BILABIALS]].sum(axis=1)

    assert np.corrcoef(bilabial, sounds.closed)[0, 1] > 0.8
