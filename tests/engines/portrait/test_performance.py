"""Prompts and choreography."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.portrait.head.warp import HEAD_ACTIONS
from engines.portrait.performance.dials import Performance
from engines.portrait.performance.motion import choreograph
from engines.portrait.performance.prompt import LIMITS, NEUTRAL, understand
from engines.portrait.speech.track import SHAPE_NAMES, VisemeTrack
from workshop.sheet import silent_track

NEUTRAL_PLAY = Performance()


def talking_track(seconds: float = 6.0, fps: int = 25) -> VisemeTrack:
    """One second of silence, then syllables four times a second."""
    frames = int(seconds * fps)
    time = np.arange(frames) / fps
    loud = np.where(time > 1, np.abs(np.sin(2 * np.pi * 2 * time)), 0).astype(np.float32)
    shapes = np.zeros((frames, len(SHAPE_NAMES)), np.float32)
    shapes[:, 0] = 0.7 * loud
    return VisemeTrack(fps, shapes, loud, loud, time <= 1, "en", seconds)


@pytest.mark.parametrize(
    ("prompt", "dial", "sign"),
    [
        ("微笑", "smile", 1), ("a smile", "smile", 1), ("严肃", "smile", -1), ("serious", "brow", -1),
        ("惊讶", "brow", 1), ("surprised", "eyes", 1), ("激动", "head", 1), ("lively", "accent", 1),
        ("平静", "head", -1), ("calm", "accent", -1), ("点头", "nods", 1), ("nod", "nods", 1),
        ("摇头", "shakes", 1), ("shake your head", "shakes", 1), ("眨眼", "blink_rate", 1),
        ("blink", "blink_rate", 1), ("看镜头", "gaze", -1), ("look at the camera", "gaze", -1),
    ],
)  # fmt: skip
def test_a_known_word_turns_its_dial(prompt: str, dial: str, sign: int) -> None:
    understood = understand(prompt)
    assert (getattr(understood.performance, dial) - getattr(NEUTRAL, dial)) * sign > 0
    assert len(understood.words) == 1
    assert understood.words[0] in str(understood.notes[0])


def test_strength_words_scale_the_nearest_word() -> None:
    little, plain, much = (
        understand(text).performance.smile for text in ("微微一笑，微笑", "微笑", "非常开心")
    )
    assert little <= plain < much
    mixed = understand("她很开心地轻轻点头").performance
    assert mixed.nods < understand("点头").performance.nods
    assert mixed.smile > understand("微笑").performance.smile
    assert understand("slightly smiling").performance.smile < plain


def test_a_negated_word_does_not_turn_its_dial_up() -> None:
    assert understand("不要微笑").performance.smile == 0
    assert understand("don't nod, smile").performance.nods == 0
    assert understand("don't nod, smile").performance.smile > 0
    assert understand("no blinking").performance.blink_rate < 1


def test_unknown_words_are_ignored() -> None:
    understood = understand("一只猫坐在树上 with a purple hat, 4k, cinematic")
    assert understood.performance == NEUTRAL
    assert understood.notes == ()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_within_the_limits(text: str) -> None:
    performance = understand(text + "非常激动" + text).performance
    for dial, (low, high) in LIMITS.items():
        assert low <= getattr(performance, dial) <= high


def test_a_performance_begins_and_ends_with_the_photo() -> None:
    motion = choreograph(talking_track(), understand("大笑，点头，惊讶").performance, seed=4)
    for index in (0, len(motion) - 1):
        assert not motion.mouth[index].any()
        assert not motion.head[index].any()
        assert motion.lid[index] == 0
        assert not motion.gaze[index].any()


def test_a_silent_speaker_keeps_the_mouth_still_but_breathes_and_blinks() -> None:
    motion = choreograph(silent_track(250), NEUTRAL_PLAY, seed=1)
    assert not motion.mouth.any()
    assert motion.lid.max() == 1
    assert np.ptp(motion.head[:, HEAD_ACTIONS.index("breath")]) > 0.02


def test_the_seed_decides_and_repeats() -> None:
    track = talking_track()
    first, again, other = (choreograph(track, NEUTRAL_PLAY, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.head, again.head)
    np.testing.assert_array_equal(first.lid, again.lid)
    assert np.abs(first.head - other.head).max() > 0.01
    np.testing.assert_array_equal(first.mouth, other.mouth)  # what is said does not depend on luck


def test_movements_are_smooth_from_frame_to_frame() -> None:
    motion = choreograph(talking_track(20), understand("非常激动，点头，摇头").performance, seed=9)
    assert np.abs(np.diff(motion.head, axis=0)).max() < 0.08


def test_lively_moves_more_than_calm() -> None:
    def travel(prompt: str) -> float:
        motion = choreograph(talking_track(12), understand(prompt).performance, seed=3)
        return float(np.abs(np.diff(motion.head[:, :3], axis=0)).sum())

    assert travel("激动") > 2 * travel("平静")


def test_nods_pitch_and_shakes_turn_the_head() -> None:
    def spread(prompt: str, action: str) -> float:
        motion = choreograph(silent_track(150), understand(prompt).performance, seed=3)
        return float(np.ptp(motion.head[:, HEAD_ACTIONS.index(action)]))

    assert spread("点头", "pitch") > 2 * spread("", "pitch")
    assert spread("摇头", "yaw") > 1.5 * spread("", "yaw")


def test_blinks_come_about_as_often_as_people_blink() -> None:
    motion = choreograph(silent_track(25 * 120), NEUTRAL_PLAY, seed=2)
    shut = motion.lid == 1
    blinks = int((shut[1:] & ~shut[:-1]).sum()) / 2
    assert 15 <= blinks <= 32
