"""Mouth, eyes, head and label: what moves, how far, and what must not."""

import numpy as np
import pytest

from engines.base import EngineError
from engines.portrait.eyes.movement import EyeRig
from engines.portrait.face.geometry import Rect
from engines.portrait.head.warp import HEAD_ACTIONS
from engines.portrait.mouth.pose import REST, Inside, MouthPose, action_weights
from engines.portrait.mouth.renderer import MouthRenderer
from engines.portrait.mouth.warp import Inverter
from engines.portrait.pixels import U8, remap_float
from engines.portrait.rig import PortraitRig
from engines.portrait.video.colour import Planes
from engines.portrait.video.frames import FrameRenderer, planes_of
from engines.portrait.video.label import CORNERS, LabelSettings, build_label
from workshop.sheet import single

OPEN = MouthPose(jaw=1.0)


def draw(
    rig: PortraitRig,
    pose: MouthPose = REST,
    lid: float = 0.0,
    gaze: tuple[float, float] = (0.0, 0.0),
    turn: dict[str, float] | None = None,
) -> Planes:
    """One frame in fresh planes."""
    picture: U8 = FrameRenderer(rig, None).draw(single(pose, lid, gaze, turn or {}), 0).copy()
    return planes_of(picture)


def changed(rig: PortraitRig, picture: Planes) -> np.ndarray:
    """Where the luma differs from the photo's."""
    return np.abs(picture.y.astype(int) - rig.planes.y) > 2


def dark_centre(plane: U8, eye: EyeRig) -> float:
    """The column of the iris: the centre of what is dark over the eyeball."""
    weight = np.clip(120.0 - plane[eye.rect.luma], 0, None) * (eye.gaze_weight > 0.3)
    return float((weight.sum(axis=0) * np.arange(eye.rect.width)).sum() / weight.sum())


def test_a_resting_frame_is_the_photo_to_the_last_bit(rig: PortraitRig) -> None:
    picture = draw(rig)
    for plane in ("y", "u", "v"):
        np.testing.assert_array_equal(getattr(picture, plane), getattr(rig.planes, plane))


def test_talking_changes_the_mouth_s_region_and_nothing_else(rig: PortraitRig) -> None:
    moved = changed(rig, draw(rig, OPEN))
    region = rig.mouth.fields.rect
    assert moved[region.luma].mean() > 0.05
    moved[region.luma] = False
    assert not moved.any()


def test_an_open_mouth_is_darker_inside_than_a_closed_one(rig: PortraitRig) -> None:
    """The lower half of the opening shows the dark of the mouth at a wide jaw."""
    inside = rig.mouth.interior.rect
    wide, closed = draw(rig, OPEN).y[inside.luma], draw(rig, MouthPose(closure=1)).y[inside.luma]
    assert (wide < 60).sum() > 4 * max(1, (closed < 60).sum())


def test_lips_that_close_leave_no_teeth(rig: PortraitRig) -> None:
    """This portrait smiles with bright teeth; pressed lips hide them."""
    opening = rig.mouth.frame.box(
        -0.22, float(rig.mouth.shape.upper[5, 1]), 0.22, float(rig.mouth.shape.lower[5, 1])
    )
    photo, closed = rig.planes, draw(rig, MouthPose(closure=1))
    assert (photo.y[opening.luma] > 200).mean() > 3 * (closed.y[opening.luma] > 200).mean()
    assert closed.v[opening.chroma].mean() > photo.v[opening.chroma].mean() + 3  # lips are redder


def test_a_wider_jaw_opens_the_mouth_further(rig: PortraitRig) -> None:
    drops = [action_weights(MouthPose(jaw=jaw), rig.mouth.shape)[0] for jaw in (0.0, 0.3, 0.6, 1.0)]
    assert drops == sorted(drops)
    assert drops[-1] - drops[0] > 0.1


def test_a_closure_wins_over_the_jaw(rig: PortraitRig) -> None:
    weights = action_weights(MouthPose(jaw=1.0, closure=1.0), rig.mouth.shape)
    assert weights[0] == pytest.approx(0, abs=1e-6)


def test_an_inverted_field_leads_back_to_where_it_came_from(rig: PortraitRig) -> None:
    fields = rig.mouth.fields
    weights = action_weights(MouthPose(jaw=0.8, width=-0.5, pucker=0.6), rig.mouth.shape)
    forward = (weights @ fields.upper).reshape(fields.rows, fields.columns, 2)
    inverter = Inverter(fields)
    (field,) = inverter.fields(weights[None])
    for _ in range(4):  # as in a video, from the last solution
        away = np.stack(inverter.invert(field), axis=-1)[: fields.rows]
    columns, rows = np.meshgrid(np.arange(fields.columns), np.arange(fields.rows))
    source = (np.stack([columns, rows], axis=-1) + away).astype(np.float32)
    error = np.abs(away + remap_float(forward, source) / fields.cell)[2:-2, 2:-2]
    assert error.mean() < 0.02
    assert np.percentile(error, 99) < 0.35


def test_a_pose_that_repeats_is_not_drawn_again(rig: PortraitRig) -> None:
    renderer, canvas = MouthRenderer(rig.mouth), rig.planes.copy()
    once, again = renderer.prepare(np.stack([action_weights(OPEN, rig.mouth.shape)] * 2), [Inside()] * 2)
    assert renderer.draw(once, canvas)
    assert not renderer.draw(again, canvas)


def test_blinking_hides_the_eyes_and_touches_nothing_else(rig: PortraitRig) -> None:
    picture = draw(rig, lid=1.0)
    moved = changed(rig, picture)
    for eye in rig.eyes:
        assert moved[eye.rect.luma].mean() > 0.05
        photo, shut = rig.planes.y[eye.rect.luma], picture.y[eye.rect.luma]
        middle = eye.gaze_weight > 0.5  # over the eyeball: iris and white give way to skin
        assert shut[middle].std() < 0.8 * photo[middle].std()
        moved[eye.rect.luma] = False
    assert not moved.any()


def test_gaze_moves_the_iris_within_the_eye(rig: PortraitRig) -> None:
    left, right = draw(rig, gaze=(-1.0, 0.0)).y, draw(rig, gaze=(1.0, 0.0)).y
    for eye in rig.eyes:
        assert dark_centre(right, eye) - dark_centre(left, eye) > 1.0


@pytest.mark.parametrize("action", HEAD_ACTIONS)
def test_no_action_of_the_head_moves_the_border(rig: PortraitRig, action: str) -> None:
    moved = changed(rig, draw(rig, turn={action: 0.1}))
    assert moved.any()
    inner = np.ones_like(moved)
    inner[4:-4, 4:-4] = False
    assert not moved[inner].any()


def test_the_background_beside_the_head_stays(rig: PortraitRig) -> None:
    moved = changed(rig, draw(rig, turn={"yaw": 0.08, "shift_x": 0.02}))
    beside = rig.frame.box(-4.0, -1.2, -2.0, 0.6).clipped(Rect(0, 0, 512, 512))
    face = rig.frame.box(-0.6, -0.2, 0.6, 0.9)
    assert moved[beside.luma].mean() < 0.01
    assert moved[face.luma].mean() > 0.2


def test_yaw_shifts_the_nose_further_than_the_ears(rig: PortraitRig) -> None:
    """The warp suggests depth: what is nearer the camera moves more."""
    head = rig.head
    field = -head.basis[HEAD_ACTIONS.index("yaw")].reshape(head.base.shape)[..., 0]

    def at(x: float, y: float) -> float:
        spot = rig.frame.to_image(np.array([x, y])) - [head.rect.x0, head.rect.y0]
        return float(field[round(spot[1] / head.cell) + 1, round(spot[0] / head.cell) + 1])

    assert at(0.0, 0.5) > 1.5 * at(0.95, 0.3) > 0


def test_frames_do_not_depend_on_what_was_drawn_before(rig: PortraitRig) -> None:
    renderer = FrameRenderer(rig, None)
    renderer.draw(single(MouthPose(jaw=0.2, width=0.8), 0.5, (1.0, 0.0), {"yaw": 0.05}), 0)
    renderer.reset()
    again = renderer.draw(single(OPEN, 0.0, (0.0, 0.0), {}), 0)
    np.testing.assert_array_equal(planes_of(again).y, draw(rig, OPEN).y)


@pytest.mark.parametrize("corner", CORNERS)
def test_the_label_stands_in_its_corner_at_the_size_the_standard_asks(corner: str) -> None:
    label = build_label(LabelSettings(corner=corner), 640, 480)
    assert label is not None
    vertical, horizontal = corner.split("-")
    assert (label.rect.y0 < 240) == (vertical == "top")
    assert (label.rect.x0 < 320) == (horizontal == "left")
    strokes = np.flatnonzero((label.offset > 80).any(axis=1))
    assert strokes[-1] - strokes[0] + 1 >= 0.05 * 480 - 1


def test_another_text_makes_another_label() -> None:
    short, long = (
        build_label(LabelSettings(text=text), 640, 480) for text in ("AI", "AI generated 人工智能")
    )
    assert short is not None
    assert long is not None
    assert long.rect.width > 2 * short.rect.width


def test_the_label_can_be_switched_off_but_not_made_invisible() -> None:
    assert build_label(LabelSettings.from_options({"label_enabled": "false"}), 640, 480) is None
    assert LabelSettings.from_options({"label_opacity": "0"}).opacity >= 0.3
    assert LabelSettings.from_options({}).enabled


@pytest.mark.parametrize("options", [{"label_corner": "middle"}, {"label_opacity": "much"}])
def test_a_label_setting_that_means_nothing_is_an_error(options: dict[str, str]) -> None:
    with pytest.raises(EngineError, match=next(iter(options))):
        LabelSettings.from_options(options)
