"""Coordinate frames, boxes and planes on inputs with known answers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.portrait.face.geometry import FaceFrame, Rect, border_window, smoothstep
from engines.portrait.video.colour import bgr_from_planes, planes_from_ycc, ycc_from_bgr


def tilted_frame(degrees: float) -> FaceFrame:
    angle = math.radians(degrees)
    axes = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return FaceFrame(np.array([100.0, 80.0]), axes, 40.0)


def test_one_unit_to_the_right_is_one_eye_distance_along_the_eyes() -> None:
    np.testing.assert_allclose(tilted_frame(0).to_image(np.array([1.0, 0.0])), [140, 80])
    np.testing.assert_allclose(tilted_frame(90).to_image(np.array([1.0, 0.0])), [100, 120], atol=1e-9)


@given(st.floats(-180, 180), st.floats(-3, 3), st.floats(-3, 3))
def test_a_point_survives_the_way_into_the_image_and_back(degrees: float, x: float, y: float) -> None:
    frame = tilted_frame(degrees)
    there = frame.to_image(np.array([x, y]))
    np.testing.assert_allclose(frame.to_face(there), [x, y], atol=1e-9)


def test_displacements_turn_and_scale_with_the_face() -> None:
    zero, one = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    np.testing.assert_allclose(tilted_frame(90).vectors(zero, one)[0, 0], [-40, 0], atol=1e-4)


def test_cells_are_sampled_at_their_centres() -> None:
    x, y = tilted_frame(0).coordinates(Rect(100, 80, 108, 88), cell=4)
    np.testing.assert_allclose(x[0] * 40, [1.5, 5.5], atol=1e-4)
    np.testing.assert_allclose(y[:, 0] * 40, [1.5, 5.5], atol=1e-4)


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0, 9))
def test_boxes_are_even_and_hold_their_points(x: float, y: float, margin: float) -> None:
    points = np.array([[x, y], [x + 7.3, y + 2.1]])
    box = Rect.around(points, margin)
    assert all(side % 2 == 0 for side in (box.x0, box.y0, box.x1, box.y1))
    assert box.x0 <= x - margin
    assert box.x1 >= x + 7.3 + margin
    assert box.y0 <= y - margin
    assert box.y1 >= y + 2.1 + margin


def test_clipping_to_a_box_elsewhere_leaves_nothing() -> None:
    assert Rect(0, 0, 4, 4).clipped(Rect(10, 10, 20, 20)).empty
    assert not Rect(0, 0, 4, 4).overlaps(Rect(4, 0, 8, 4))


def test_nothing_moves_at_the_border_and_everything_inside() -> None:
    window = border_window(64, 64, Rect(0, 0, 64, 64), 1, margin=10)
    assert window[0].max() == 0
    assert window[:, -1].max() == 0
    assert window[32, 32] == 1


def test_smoothstep_is_flat_outside_and_half_in_the_middle() -> None:
    values = smoothstep(1, 3, np.array([0, 1, 2, 3, 9], np.float32))
    np.testing.assert_allclose(values, [0, 0, 0.5, 1, 1])


@pytest.mark.parametrize(
    ("bgr", "ycc"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 255), (63, 102, 240)),
        ((255, 0, 0), (32, 240, 118)),
    ],
)
def test_colours_have_the_code_values_of_bt709(bgr: tuple[int, int, int], ycc: tuple[int, int, int]) -> None:
    pixels = np.full((2, 2, 3), bgr, np.uint8)
    np.testing.assert_allclose(ycc_from_bgr(pixels)[0, 0], ycc, atol=0.6)


def test_a_smooth_picture_survives_the_planes() -> None:
    ramp = np.linspace(30, 220, 64, dtype=np.float32)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], np.float32(120)), axis=-1)
    picture = picture.astype(np.uint8)
    back = bgr_from_planes(planes_from_ycc(ycc_from_bgr(picture)))
    assert np.abs(back.astype(int) - picture).mean() < 2.0
