"""What is not drawn again: movements too small to be seen, and what did not change."""

from dataclasses import replace

import numpy as np

from engines.portrait.head.renderer import HeadRenderer
from engines.portrait.performance.hold import hold_small_movements
from engines.portrait.performance.motion import Motion, choreograph
from engines.portrait.performance.prompt import understand
from engines.portrait.pixels import F32
from engines.portrait.rig import PortraitRig
from engines.portrait.video.frames import FrameRenderer, planes_of
from workshop.sheet import silent_track

TOLERANCE = 0.125
MOVES = np.array([[8.0, 0.0, -3.0], [0.0, 5.0, 1.0]], np.float32)


def performance(prompt: str) -> Motion:
    return choreograph(silent_track(100), understand(prompt).performance, seed=4)


def wandering(frames: int, speed: float) -> F32:
    """A random walk of two actions."""
    steps = np.random.default_rng(2).normal(0, speed, (frames, 2))
    return np.cumsum(steps, axis=0).astype(np.float32)


def redrawn(weights: F32) -> int:
    """How many frames differ from the one before."""
    return int((np.diff(weights, axis=0) != 0).any(axis=1).sum())


def test_nothing_is_drawn_further_than_the_tolerance_from_where_it_is() -> None:
    for speed in (0.001, 0.004, 0.02):
        weights = wandering(300, speed)
        held = hold_small_movements(weights, MOVES, TOLERANCE)
        assert np.abs((held - weights) @ MOVES).max() <= TOLERANCE + 1e-5


def test_a_drift_is_drawn_seldom_and_a_swift_movement_in_every_frame() -> None:
    assert redrawn(hold_small_movements(wandering(300, 0.002), MOVES, TOLERANCE)) < 100
    swift = wandering(300, 0.5)
    np.testing.assert_array_equal(hold_small_movements(swift, MOVES, TOLERANCE), swift)


def test_rest_stays_rest_and_what_follows_it_does_not_join_it() -> None:
    weights = np.zeros((6, 2), np.float32)
    weights[2:4] = 1e-4
    held = hold_small_movements(weights, MOVES, TOLERANCE)
    np.testing.assert_array_equal(held.any(axis=1), weights.any(axis=1))


def test_a_calm_head_is_held_and_a_nodding_one_is_not(rig: PortraitRig) -> None:
    calm, nod = (
        redrawn(hold_small_movements(performance(prompt).head, rig.head.moves, TOLERANCE))
        for prompt in ("平静", "点头")
    )
    assert calm < 50
    assert nod > 1.2 * calm


def test_drawing_what_changed_equals_drawing_everything(rig: PortraitRig) -> None:
    """A held head with blinking eyes and a moving mouth, against a head drawn whole in every frame."""
    motion = performance("平静，眨眼，微笑")
    motion = replace(motion, head=hold_small_movements(motion.head, rig.head.moves, TOLERANCE))
    renderer = FrameRenderer(rig, None)
    for index, picture in enumerate(renderer.frames(motion, range(60))):
        whole = picture.copy()
        target = planes_of(whole)
        target.y[:], target.u[:], target.v[:] = rig.planes.y, rig.planes.u, rig.planes.v
        HeadRenderer(rig.head, renderer.unwarped, target).draw(motion.head[index], [])
        np.testing.assert_array_equal(picture, whole)


def test_a_mouth_s_box_that_reaches_over_an_eye_does_not_open_it(rig: PortraitRig) -> None:
    """As on a tilted face: the mouth goes on moving while the lid stays shut."""
    eye = rig.eyes[0]
    box = rig.mouth.fields.rect
    there = replace(eye, rect=eye.rect.moved(box.x0 - eye.rect.x0, box.y0 - eye.rect.y0))
    motion = performance("平静")
    motion = replace(motion, lid=np.ones_like(motion.lid), gaze=motion.gaze * 0)
    motion.mouth[:, 0], motion.mouth[:, -1] = np.linspace(0, 1, len(motion)), 1
    renderer = FrameRenderer(replace(rig, eyes=[there]), None)
    shown = [renderer.unwarped.y[there.rect.luma].copy() for _ in renderer.frames(motion, range(5, 9))]
    for later in shown[1:]:
        np.testing.assert_array_equal(later, shown[0])
