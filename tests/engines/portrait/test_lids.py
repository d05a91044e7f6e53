"""How shut lids look, like skin and like one piece of it, and that a gaze doubles nothing."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.portrait.eyes.lids import LID_STEPS, LidRig, Lids
from engines.portrait.eyes.movement import EyeRenderer, EyeRig, gaze_source
from engines.portrait.face import landmarks as lm
from engines.portrait.face.faces import FaceFinder
from engines.portrait.face.geometry import FaceFrame, Rect
from engines.portrait.pixels import F32, blur, pixel_grid, remap
from engines.portrait.rig import PortraitRig, build_rig, read_image
from engines.portrait.video.colour import BLACK, Planes
from tests.engines.portrait.conftest import MEDIA

GRAIN = 4.0


@pytest.fixture(scope="module")
def painting(finder: FaceFinder) -> PortraitRig:
    """A portrait whose lids have deep, dark folds."""
    return build_rig(MEDIA / "portrait-mona-lisa.jpg", finder)


def shut(rig: PortraitRig) -> F32:
    """The luma with both eyes shut."""
    canvas = rig.planes.copy()
    for eye in rig.eyes:
        EyeRenderer(eye).draw(1.0, (0.0, 0.0), canvas)
    return canvas.y.astype(np.float32)


@pytest.mark.parametrize("eye", [(lm.EYE_A_UPPER, lm.EYE_A_LOWER), (lm.EYE_B_UPPER, lm.EYE_B_LOWER)])
def test_a_shut_lid_goes_on_without_a_dark_line_where_the_eye_was_open(
    painting: PortraitRig, finder: FaceFinder, eye: tuple[list[int], list[int]]
) -> None:
    """The fold above an open eye is drawn smooth as it shuts; it must not stay behind as a rim."""
    face = painting.frame.to_face(finder.find(read_image(MEDIA / "portrait-mona-lisa.jpg")).points[:, :2])
    upper, lower = (face[curve][len(curve) // 2] for curve in eye)
    y = np.linspace(upper[1] - 0.10, lower[1] - 0.06, 20)
    at = painting.frame.to_image(np.stack([np.full_like(y, upper[0]), y], axis=-1)).round().astype(int)
    smooth = blur(shut(painting), 1.0)[at[:, 1], at[:, 0]] - BLACK
    assert smooth[:9].min() > 0.73 * smooth[9:].mean()


def test_a_shut_lid_is_as_grainy_as_the_photo(finder: FaceFinder, portrait: Path, tmp_path: Path) -> None:
    close = cv2.resize(read_image(portrait)[0:320, 64:384], None, fx=2.5, fy=2.5)
    noise = np.random.default_rng(1).normal(0, GRAIN, close.shape[:2])[..., None]
    cv2.imwrite(str(tmp_path / "grainy.png"), np.clip(close + noise, 0, 255).astype(np.uint8))
    rig = build_rig(tmp_path / "grainy.png", finder)
    picture = shut(rig)
    fine = picture - blur(picture, 1.5)
    for eye in rig.eyes:
        lid = eye.gaze_weight > 0.8
        rows = np.flatnonzero(lid.any(axis=1))
        lid[rows[len(rows) // 2] :] = False  # there are the lashes
        assert 1.48 * np.median(np.abs(fine[eye.rect.luma][lid])) > 0.4 * GRAIN


def test_nothing_of_the_eye_shows_under_a_shut_lid() -> None:
    """Not even where the mesh draws the lower lid a little too high, through the white."""
    iod, frame = 200.0, FaceFrame(np.array([100.0, 60.0]), np.eye(2), 200.0)
    rect = Rect(0, 0, 200, 160)
    x, y = frame.coordinates(rect)
    level = np.ones_like(x)
    lids = Lids(x, y, 0.0 * level, 0.20 * level, -0.10 * level, 0.20 * level, level)
    luma = np.full(x.shape, 120, np.uint8)
    luma[(y > 0.0) & (y < 0.23)] = 230
    grey = np.full((80, 100), 128, np.uint8)
    here = np.stack(pixel_grid(*rect.size), axis=-1)
    rig = LidRig.build(lids, frame, Planes(luma, grey, grey), here, (120.0, 128.0, 128.0))
    position = rig.position(LID_STEPS)
    shut_eye = remap(luma, position.coords, cubic=True) * position.gain + position.offset
    assert shut_eye[:, int(0.3 * iod) : -int(0.3 * iod)].max() < 140


@pytest.mark.parametrize("gaze", [-1.0, 1.0])
def test_what_an_eye_shows_never_folds_when_it_looks_up_or_down(
    rig: PortraitRig, painting: PortraitRig, gaze: float
) -> None:
    for eye in [*rig.eyes, *painting.eyes]:
        source = gaze_source(eye, 0.0, gaze)
        assert np.diff(source[..., 1], axis=0).min() > 0.35
        assert np.abs(source - eye.here)[..., 1].max() > 0.4


def test_the_edge_of_a_shut_lid_is_no_staircase() -> None:
    """It lies across the pixels at a slant, and dark lashes meet bright skin there."""
    frame, rect = FaceFrame(np.array([100.0, 60.0]), np.eye(2), 200.0), Rect(0, 0, 200, 160)
    x, y = frame.coordinates(rect)
    level, upper = np.ones_like(x), 0.1 * x
    lids = Lids(x, y, upper, upper + np.float32(0.20), upper - np.float32(0.10), 0.20 * level, level)
    luma = np.where(y < upper, 40, 200).astype(np.uint8)
    grey = np.full((80, 100), 128, np.uint8)
    photo, here = Planes(luma, grey, grey), np.stack(pixel_grid(*rect.size), axis=-1)
    lid_rig = LidRig.build(lids, frame, photo, here, (200.0, 128.0, 128.0))
    nothing = np.zeros_like(x)
    canvas = photo.copy()
    EyeRenderer(EyeRig(rect, lid_rig, nothing, nothing, frame.axes, here, photo)).draw(1.0, (0, 0), canvas)
    assert np.abs(np.diff(canvas.y[:, 40:160].astype(int), axis=0)).max() < 70


def test_a_shut_lid_is_of_the_skin_s_colour_although_it_lies_in_the_brow_s_shade(
    painting: PortraitRig,
) -> None:
    canvas = painting.planes.copy()
    for eye in painting.eyes:
        EyeRenderer(eye).draw(1.0, (0.0, 0.0), canvas)
    for eye in painting.eyes:
        rows, columns = np.nonzero(eye.gaze_weight > 0.5)
        lid = Rect(*(2 * (edge // 2) for edge in (columns.min(), rows.min(), columns.max(), rows.max())))
        lid = lid.moved(eye.rect.x0, eye.rect.y0)
        below = lid.moved(0, 2 * (eye.rect.y1 - lid.y1) // 2)
        yellow = [float((128 - canvas.u[box.chroma].astype(float)).mean()) for box in (lid, below)]
        assert yellow[0] > 0.85 * yellow[1]


def test_a_shut_lid_is_darker_towards_the_corners_of_the_eye() -> None:
    """It covers a ball; evenly lit, it would look pasted on."""
    frame, rect = FaceFrame(np.array([100.0, 60.0]), np.eye(2), 200.0), Rect(0, 0, 200, 160)
    x, y = frame.coordinates(rect)
    opening = (0.20 * np.clip(1 - (x / 0.35) ** 2, 0, 1)).astype(np.float32)
    level = np.ones_like(x)
    lids = Lids(x, y, 0.10 - opening / 2, 0.10 + opening / 2, -0.10 * level, opening, level)
    luma, grey = np.full(x.shape, 150, np.uint8), np.full((80, 100), 128, np.uint8)
    here = np.stack(pixel_grid(*rect.size), axis=-1)
    rig = LidRig.build(lids, frame, Planes(luma, grey, grey), here, (150.0, 128.0, 128.0))
    position = rig.position(LID_STEPS)
    shut_eye = remap(luma, position.coords, cubic=True) * position.gain + position.offset - BLACK
    row = round(60 + 0.10 * 200)
    middle, aside = shut_eye[row, 95:105].mean(), shut_eye[row, [100 - 44, 100 + 44]].mean()
    assert 0.8 < aside / middle < 0.97
