"""Sounds that are no speech leave the mouth at rest, and nothing at all makes the analysis raise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engines.portrait.speech import VisemeTrack, analyse
from engines.portrait.speech.track import SHAPE_HIGH, SHAPE_LOW
from tests.engines.portrait.speech.signals import Samples, noise, silence, tone


def assert_well_formed(track: VisemeTrack, samples: Samples, fps: int = 25) -> None:
    """Everything that holds for the track of any sound."""
    assert len(track) == int(np.ceil(len(samples) * fps / 16_000))
    assert np.isfinite(track.shapes).all()
    assert (track.shapes >= SHAPE_LOW).all()
    assert (track.shapes <= SHAPE_HIGH).all()
    for curve in (track.energy, track.stress):
        assert ((curve >= 0) & (curve <= 1)).all()
    assert track.language in {"en", "zh", "und"}


@pytest.mark.parametrize(
    "samples",
    [
        silence(3),
        noise(6, 0.001),
        noise(6, 0.1),
        noise(6, 0.3, slope=1.0),
        noise(6, 0.05, slope=0.5) + tone(6, 50, 0.1),
        tone(6, 440, 0.3),
        tone(6, 120, 0.5) + tone(6, 240, 0.2),
    ],
    ids=["silence", "hiss", "white noise", "brown noise", "hum and noise", "tone", "buzz"],
)
def test_steady_sounds_leave_the_mouth_at_rest(samples: Samples) -> None:
    track = analyse(samples)

    assert_well_formed(track, samples)
    assert track.aperture.max() < 0.02
    assert np.abs(np.diff(track.shapes, axis=0)).max() < 0.02
    assert track.silence.mean() > 0.9


def test_noise_that_pauses_is_not_taken_for_the_voice_of_the_pause() -> None:
    samples = np.concatenate([noise(4, 0.05), silence(1), noise(4, 0.05, seed=1)])

    track = analyse(samples)

    assert track.silence[102:123].all()


@pytest.mark.parametrize("count", [0, 1, 159, 160, 640, 641])
def test_recordings_of_next_to_nothing_are_answered(count: int) -> None:
    samples = np.full(count, 0.5, np.float32)

    assert_well_formed(analyse(samples), samples)


def test_hard_clipping_is_answered() -> None:
    samples = np.sign(noise(2, 0.5))

    assert_well_formed(analyse(samples), samples)


@settings(max_examples=40, deadline=None)
@given(
    samples=hnp.arrays(
        np.float32,
        st.integers(0, 20_000),
        elements=st.floats(-1, 1, width=32),
        fill=st.floats(-1, 1, width=32),
    ),
    fps=st.integers(1, 60),
)
def test_any_finite_sound_gives_a_track_within_its_ranges(samples: Samples, fps: int) -> None:
    assert_well_formed(analyse(samples, fps), samples, fps)


@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(["silence", "noise", "tone"]),
            st.floats(0.01, 1.5),
            st.floats(1e-5, 1.0),
            st.integers(0, 1000),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_row_of_sounds_gives_a_track_within_its_ranges(
    parts: list[tuple[str, float, float, int]],
) -> None:
    pieces = {
        "silence": lambda seconds, level, seed: silence(seconds),
        "noise": lambda seconds, level, seed: noise(seconds, level, seed=seed),
        "tone": lambda seconds, level, seed: tone(seconds, 60 + 5 * seed, level),
    }
    samples = np.concatenate([pieces[kind](seconds, level, seed) for kind, seconds, level, seed in parts])
    samples = np.clip(samples, -1, 1)

    assert_well_formed(analyse(samples), samples)
