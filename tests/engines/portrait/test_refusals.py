"""What the engine cannot do well it refuses with the reason; what it can, it takes without a remark."""

import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.base import UnusablePortraitError
from engines.portrait.face import landmarks as lm
from engines.portrait.face.detect import Detection
from engines.portrait.face.faces import FaceFinder, _distinct, _require_usable
from engines.portrait.face.geometry import FaceFrame
from engines.portrait.face.mesh import Mesh
from engines.portrait.pixels import F64, U8
from engines.portrait.rig import build_rig, read_image
from tests.engines.portrait.conftest import MEDIA, PORTRAIT

SIDE = 512
CHOSEN = Detection(0.9, np.array([180.0, 60.0, 284.0, 164.0]), np.array([[210.0, 100.0], [250.0, 100.0]]))


@pytest.fixture(scope="module")
def photo() -> U8:
    return read_image(PORTRAIT)


@pytest.fixture(scope="module")
def points(finder: FaceFinder, photo: U8) -> F64:
    return finder.find(photo).points


def turned(points: F64, degrees: float) -> F64:
    """The head turned about its vertical axis."""
    centre, angle = points.mean(axis=0), math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    away: F64 = (points - centre) @ turn.T + centre
    return away


def gaping(points: F64, by: float) -> F64:
    """The lower lip `by` IOD further down."""
    frame, wide = FaceFrame.from_landmarks(points), points.copy()
    lower = list(dict.fromkeys(lm.INNER_LOWER_LIP[1:-1] + lm.OUTER_LOWER_LIP[1:-1]))
    wide[lower, :2] += frame.axes[1] * by * frame.iod
    return wide


@pytest.mark.parametrize("side", ["left", "right", "bottom"])
def test_a_mouth_cut_by_the_picture_s_edge_is_refused(
    finder: FaceFinder, photo: U8, points: F64, side: str
) -> None:
    lips = points[lm.OUTER_LOWER_LIP, :2]
    left, right, bottom = int(lips[:, 0].min()) + 2, int(lips[:, 0].max()) - 2, int(lips[:, 1].max())
    crops = {"left": photo[:, left:], "right": photo[:, :right], "bottom": photo[:bottom]}
    cut = cv2.resize(crops[side], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    with pytest.raises(UnusablePortraitError, match="edge cuts the mouth off"):
        finder.find(cut.astype(np.uint8))


def test_a_face_without_its_forehead_and_ears_still_talks(finder: FaceFinder, photo: U8) -> None:
    close = cv2.resize(photo[75:205, 165:285], None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    assert finder.find(close.astype(np.uint8)).notes == ()


@pytest.mark.parametrize("degrees", [-30, 0, 30])
def test_a_head_turned_a_little_is_taken(points: F64, degrees: float) -> None:
    _require_usable(CHOSEN, Mesh(turned(points, degrees), 1.0), SIDE, SIDE)


@pytest.mark.parametrize("degrees", [-50, 50])
def test_a_head_turned_far_is_refused(points: F64, degrees: float) -> None:
    with pytest.raises(UnusablePortraitError, match="turned too far"):
        _require_usable(CHOSEN, Mesh(turned(points, degrees), 1.0), SIDE, SIDE)


def test_a_mouth_torn_open_is_refused_and_a_laugh_is_not(points: F64) -> None:
    _require_usable(CHOSEN, Mesh(gaping(points, 0.12), 1.0), SIDE, SIDE)
    with pytest.raises(UnusablePortraitError, match="wide open"):
        _require_usable(CHOSEN, Mesh(gaping(points, 0.35), 1.0), SIDE, SIDE)


def test_parts_of_a_face_are_no_further_faces() -> None:
    part = replace(CHOSEN, score=0.95, box=CHOSEN.box * 0.5 + np.tile(CHOSEN.centre * 0.5, 2) + 12)
    beside = replace(CHOSEN, box=CHOSEN.box + np.array([110, 0, 110, 0]))
    assert [found.size for found in _distinct([part, CHOSEN, beside])] == [104.0, 104.0]


def behind(photo: U8, points: F64, thing: str) -> U8:
    """The photo with a hand's fingers, slanted, or nothing before the mouth."""
    frame, covered = FaceFrame.from_landmarks(points), photo.copy()
    middle = frame.to_face(points[[lm.UPPER_LIP_INNER, lm.LOWER_LIP_INNER], :2]).mean(axis=0)
    skin = photo[tuple(points[lm.CHEEKS[0], 1::-1].round().astype(int))].tolist()
    for aside in (-0.3, 0.0, 0.3) if thing == "fingers" else ():
        ends = (
            frame.to_image(middle + np.array([[aside - 0.2, 0.6], [aside + 0.1, -0.25]])).round().astype(int)
        )
        first, last = ends.tolist()
        for colour, width in (([share * 0.3 for share in skin], 0.29), (skin, 0.24)):
            cv2.line(covered, first, last, colour, round(width * frame.iod), cv2.LINE_AA)
    return covered


@pytest.mark.parametrize("thing", ["fingers", "nothing"])
def test_closed_lips_behind_a_hand_are_refused(finder: FaceFinder, tmp_path: Path, thing: str) -> None:
    """Painted over it, a mouth would open in the hand."""
    photo = read_image(MEDIA / "portrait-mona-lisa.jpg")
    cv2.imwrite(str(tmp_path / "photo.png"), behind(photo, finder.find(photo).points, thing))
    if thing == "nothing":
        build_rig(tmp_path / "photo.png", finder)
        return
    with pytest.raises(UnusablePortraitError, match="covers the mouth"):
        build_rig(tmp_path / "photo.png", finder)
