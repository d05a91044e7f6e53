"""How far a photo's mouth is open is read from the picture, and the inside is painted in its light."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.portrait.face.faces import FaceFinder
from engines.portrait.face.geometry import Rect
from engines.portrait.face.landmarks import CHIN
from engines.portrait.face.silhouette import Mask
from engines.portrait.mouth.fields import ACTIONS, build_fields
from engines.portrait.mouth.pose import MouthPose, action_weights
from engines.portrait.pixels import U8
from engines.portrait.rig import PortraitRig, build_rig, read_image
from engines.portrait.video.colour import BLACK, bgr_from_planes
from engines.portrait.video.frames import FrameRenderer, planes_of
from tests.engines.portrait.conftest import MEDIA
from workshop.sheet import single


@pytest.fixture(scope="module")
def large(finder: FaceFinder, portrait: Path, tmp_path_factory: pytest.TempPathFactory) -> PortraitRig:
    """The portrait's face, larger, so that its lips are some pixels thick."""
    close = read_image(portrait)[0:320, 64:384]
    path = tmp_path_factory.mktemp("large") / "close.png"
    cv2.imwrite(str(path), cv2.resize(close, None, fx=2.5, fy=2.5, interpolation=cv2.INTER_CUBIC))
    return build_rig(path, finder)


def posed(rig: PortraitRig, pose: MouthPose) -> U8:
    """The portrait with another mouth, as a photo."""
    motion = single(pose, 0.0, (0.0, 0.0), {})
    return bgr_from_planes(planes_of(FrameRenderer(rig, None).draw(motion, 0)))


def rig_of(picture: U8, finder: FaceFinder, folder: Path) -> PortraitRig:
    path = folder / "posed.png"
    cv2.imwrite(str(path), picture)
    return build_rig(path, finder)


def test_a_grin_is_open_and_the_same_mouth_closed_is_closed(
    large: PortraitRig, finder: FaceFinder, tmp_path: Path
) -> None:
    assert large.mouth.shape.open
    closed = rig_of(posed(large, MouthPose(closure=1.0)), finder, tmp_path)
    assert not closed.mouth.shape.open
    np.testing.assert_array_equal(closed.mouth.shape.upper, closed.mouth.shape.lower)


def test_closed_lips_show_no_colour_of_what_was_between_them(large: PortraitRig) -> None:
    """Teeth are grey beside lips; where these meet, a chroma sample must not come from amid the two."""
    shape, frame = large.mouth.shape, large.frame
    closed = planes_of(
        FrameRenderer(large, None).draw(single(MouthPose(closure=1.0), 0.0, (0.0, 0.0), {}), 0)
    )
    left, right = (round(float(value)) for value in frame.to_image(shape.corners)[:, 0])
    top, bottom = (
        frame.to_image(np.array([[0, shape.upper[5, 1]], [0, shape.lower[5, 1]]]))[:, 1].round().astype(int)
    )
    middle = slice((left + (right - left) // 3) // 2, (right - (right - left) // 3) // 2)
    redness = closed.v[top // 2 : bottom // 2 + 1, middle].astype(int) - 128
    assert redness.min() > 0.35 * np.median(redness)


def test_closed_lips_part_along_the_dark_line_between_them(finder: FaceFinder) -> None:
    rig = build_rig(MEDIA / "portrait-mona-lisa.jpg", finder)
    shape = rig.mouth.shape
    assert not shape.open
    x = np.linspace(shape.upper[1, 0], shape.upper[-2, 0], 25)
    light = []
    for beside in (-0.05, 0.0, 0.05):
        at = rig.frame.to_image(np.stack([x, shape.upper_y(x) + beside], axis=-1)).round().astype(int)
        light.append(float(rig.planes.y[at[:, 1], at[:, 0]].mean()))
    assert light[1] < min(light[0], light[2]) - 5


def test_an_opening_is_measured_where_it_is(large: PortraitRig, finder: FaceFinder, tmp_path: Path) -> None:
    closed = rig_of(posed(large, MouthPose(closure=1.0)), finder, tmp_path)
    gaps = []
    for jaw in (0.4, 0.7):
        opened = rig_of(posed(closed, MouthPose(jaw=jaw)), finder, tmp_path).mouth.shape
        assert opened.open
        gaps.append(opened.gap)
    assert 0.05 < gaps[0] < gaps[1] - 0.03


def test_painted_teeth_are_as_dim_as_the_photo(
    large: PortraitRig, finder: FaceFinder, tmp_path: Path
) -> None:
    """Between closed lips the teeth are painted: bright in daylight, no lamps in the dark."""
    photo, light = [], []
    for share in (1.0, 0.35):
        dim = np.round(posed(large, MouthPose(closure=1.0)) * share).astype(np.uint8)
        rig = rig_of(dim, finder, tmp_path)
        interior = rig.mouth.interior
        # along the biting edges, where no lip shades them
        light.append(float(np.percentile(interior.upper_y[interior.upper_clear < 0.05], 99)))
        photo.append(float(np.percentile(rig.planes.y, 90)) - BLACK)
    assert light[0] > 0.7 * photo[0]
    assert light[1] / light[0] == pytest.approx(photo[1] / photo[0], rel=0.3)


def test_a_grey_photo_gets_a_grey_mouth(large: PortraitRig, finder: FaceFinder, tmp_path: Path) -> None:
    grey = cv2.cvtColor(posed(large, MouthPose(closure=1.0)), cv2.COLOR_BGR2GRAY)
    rig = rig_of(np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8), finder, tmp_path)
    opened = posed(rig, MouthPose(jaw=1.0)).astype(int)
    assert np.ptp(opened, axis=-1).max() <= 6


@pytest.mark.parametrize("further", [0.0, 0.1, 0.25])
def test_open_lips_meet_however_far_they_are_apart(large: PortraitRig, further: float) -> None:
    """The wider the mouth, the more of the way lower lip and chin go; the upper lip hardly stretches."""
    shape, frame = large.mouth.shape, large.frame
    lower = shape.lower.copy()
    lower[1:-1, 1] += further * np.sin(np.linspace(0, np.pi, 11))[1:-1]
    wide = replace(shape, lower=lower, gap=shape.gap + further)
    size = (large.planes.width, large.planes.height)
    person = Mask(Rect(0, 0, *size), np.ones((8, 8), np.float32))
    fields = build_fields(wide, frame, lambda: person, *size)
    x = np.linspace(lower[2, 0], lower[-3, 0], 15)
    moved = []
    for layer, edge in ((fields.upper, wide.upper_y(x)), (fields.lower, wide.lower_y(x))):
        at = frame.to_image(np.stack([x, edge], axis=-1)) - [fields.rect.x0, fields.rect.y0]
        column, row = np.clip(at // fields.cell, 0, [fields.columns - 1, fields.rows - 1]).astype(int).T
        closing = layer[ACTIONS.index("close")].reshape(fields.rows, fields.columns, 2)[row, column]
        moved.append(closing @ frame.axes[1] / frame.iod)
    gaps = wide.lower_y(x) - wide.upper_y(x)
    np.testing.assert_allclose(moved[0] - moved[1], gaps, atol=0.25 * gaps.max())
    assert moved[0].max() < 0.13


@pytest.mark.parametrize("below_chin", [-6, 4, 14])
def test_a_chin_at_the_picture_s_edge_does_not_fold(
    finder: FaceFinder, tmp_path: Path, below_chin: int
) -> None:
    """Two places of a layer never land on one: what is between a dropped chin and the border gets denser."""
    photo = read_image(MEDIA / "portrait-mona-lisa.jpg")
    chin = int(finder.find(photo).points[CHIN, 1])
    rig = rig_of(photo[: chin + below_chin], finder, tmp_path)
    fields, weights = rig.mouth.fields, action_weights(MouthPose(jaw=1.0), rig.mouth.shape)
    for layer in (fields.upper, fields.lower):
        moved = (weights @ layer).reshape(fields.rows, fields.columns, 2)[..., 1]
        assert (np.diff(moved, axis=0) / fields.cell).min() > -0.97
