"""Glasses are noticed by their bridge, and keep the brows behind them calm."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.portrait.face.faces import FaceFinder
from engines.portrait.face.geometry import FaceFrame
from engines.portrait.face.glasses import FREEDOM_UNDER_RIMS, brow_freedom
from engines.portrait.head.warp import HEAD_ACTIONS
from engines.portrait.pixels import U8
from engines.portrait.rig import build_rig, read_image


@pytest.fixture(scope="module")
def photo(portrait: Path) -> U8:
    """The face, large enough for rims of some pixels."""
    close = read_image(portrait)[0:320, 64:384]
    return np.asarray(cv2.resize(close, None, fx=2.5, fy=2.5, interpolation=cv2.INTER_CUBIC), np.uint8)


def with_glasses(photo: U8, frame: FaceFrame, rim: tuple[int, int, int]) -> U8:
    worn, thick = photo.copy(), max(2, round(0.05 * frame.iod))
    for eye in (-0.5, 0.5):
        centre = np.round(frame.to_image(np.array([eye, 0.05]))).astype(int).tolist()
        cv2.ellipse(worn, centre, (round(0.36 * frame.iod), round(0.26 * frame.iod)), 0, 0, 360, rim, thick)
    bridge = np.round(frame.to_image(np.array([[-0.16, 0.0], [0.0, -0.03], [0.16, 0.0]]))).astype(np.int32)
    cv2.polylines(worn, [bridge], False, rim, thick)
    return worn


def freedom(finder: FaceFinder, photo: U8) -> float:
    points = finder.find(photo).points
    frame = FaceFrame.from_landmarks(points)
    luma = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return brow_freedom(frame.to_face(points[:, :2]), frame, luma)


def test_bare_brows_move_freely(finder: FaceFinder, photo: U8) -> None:
    assert freedom(finder, photo) == 1.0


@pytest.mark.parametrize("rim", [(20, 20, 30), (70, 90, 120)])
def test_brows_under_rims_keep_almost_still(finder: FaceFinder, photo: U8, rim: tuple[int, int, int]) -> None:
    frame = FaceFrame.from_landmarks(finder.find(photo).points)
    assert freedom(finder, with_glasses(photo, frame, rim)) == pytest.approx(FREEDOM_UNDER_RIMS, abs=0.05)


def test_a_face_at_the_picture_s_edge_is_no_error() -> None:
    face, luma = np.zeros((468, 2)), np.full((40, 40), 120, np.float32)
    outside = FaceFrame(np.array([-200.0, -200.0]), np.eye(2), 20.0)
    assert brow_freedom(face, outside, luma) == 1.0


def test_rims_stay_straight_when_the_brows_rise(finder: FaceFinder, photo: U8, tmp_path: Path) -> None:
    frame = FaceFrame.from_landmarks(finder.find(photo).points)
    reach = []
    for picture in (photo, with_glasses(photo, frame, (20, 20, 30))):
        path = tmp_path / "worn.png"
        cv2.imwrite(str(path), picture)
        basis = build_rig(path, finder).head.basis
        lift = [
            np.abs(basis[HEAD_ACTIONS.index(action)]).max() for action in ("brow_raise", "brow_knit", "roll")
        ]
        reach.append(lift)
    bare, worn = np.array(reach)
    assert (worn[:2] < 0.25 * bare[:2]).all()
    assert worn[2] == pytest.approx(bare[2], rel=0.2)
