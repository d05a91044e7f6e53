"""What is unusable is decided in one place: before a render, and by it; in a large photo at half its size."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engines.base import EngineError
from engines.portrait.check import AnyFaceCheck, PortraitCheck
from engines.portrait.face import landmarks as lm
from engines.portrait.face.detect import Detection
from engines.portrait.face.faces import FaceFinder
from engines.portrait.face.geometry import FaceFrame
from engines.portrait.face.mesh import FaceMesh, _Region
from engines.portrait.pixels import F64, U8
from engines.portrait.rig import PhotoFile, build_rig, look, read_image
from tests.engines.portrait.conftest import MEDIA, PORTRAIT
from tests.engines.portrait.test_refusals import behind

LARGE_PX = 2000


@pytest.fixture(scope="module")
def painting() -> U8:
    return read_image(MEDIA / "portrait-mona-lisa.jpg")


def saved(folder: Path, photo: U8, longest: int = LARGE_PX) -> Path:
    path, scale = folder / "photo.jpg", longest / max(photo.shape)
    large = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), large, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return path


def hard(photo: U8, points: F64, kind: str) -> U8:
    """A photo that is unusable in some way, or is not."""
    lips = points[lm.OUTER_LOWER_LIP, :2]
    if kind == "cut off":
        return photo[: int(lips[:, 1].max())]
    if kind == "far away":
        return cv2.copyMakeBorder(photo, 900, 900, 900, 900, cv2.BORDER_REPLICATE).astype(np.uint8)
    if kind == "nobody":
        return np.full((300, 300, 3), 128, np.uint8)
    return behind(photo, points, kind)


def verdict(ask: object, *given: object) -> str:
    try:
        ask(*given)  # type: ignore[operator]
    except EngineError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("nothing", ""),
        ("fingers", "mouth_covered"),
        ("cut off", "mouth_cut_off"),
        ("nobody", "no_face"),
        ("far away", ""),
    ],
)
def test_a_render_and_the_look_before_it_agree_on_a_large_photo(
    finder: FaceFinder, tmp_path: Path, painting: U8, kind: str, code: str
) -> None:
    path = saved(tmp_path, hard(painting, finder.find(painting).points, kind))
    assert verdict(PortraitCheck().check, path) == code
    assert verdict(build_rig, path, finder) == code


@pytest.mark.parametrize("name", ["portrait-astronaut.jpg", "portrait-mona-lisa.jpg"])
def test_half_the_pixels_show_the_face_where_all_of_them_do(
    finder: FaceFinder, tmp_path: Path, name: str
) -> None:
    file = PhotoFile(saved(tmp_path, read_image(MEDIA / name)))
    found, whole = look(file.to_look_at(), finder), finder.find(file.whole())
    assert (found.photo.step, whole.photo.step) == (2, 1)
    off = np.linalg.norm(found.points[:, :2] - whole.points[:, :2], axis=1)
    assert off.max() < 0.04 * FaceFrame.from_landmarks(whole.points).iod
    assert found.notes == whole.notes


def test_a_face_of_few_pixels_is_looked_at_in_all_of_them(finder: FaceFinder, tmp_path: Path) -> None:
    around = cv2.copyMakeBorder(read_image(PORTRAIT), 500, 500, 500, 500, cv2.BORDER_REPLICATE)
    found = look(PhotoFile(saved(tmp_path, around.astype(np.uint8), 1512)).to_look_at(), finder)
    assert found.photo.step == 1


def test_a_face_of_few_pixels_behind_a_false_one_is_looked_at_in_all_of_them(
    finder: FaceFinder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the mesh takes for no face, a poster perhaps, decides nothing about the next."""
    around = cv2.copyMakeBorder(read_image(PORTRAIT), 600, 600, 600, 600, cv2.BORDER_REPLICATE)
    file = PhotoFile(saved(tmp_path, around.astype(np.uint8), 1512))
    false = Detection(0.99, np.array([5.0, 5.0, 205.0, 205.0]), np.array([[60.0, 80.0], [150.0, 80.0]]))
    monkeypatch.setattr(
        finder, "_any_orientation", lambda bgr: [false, *FaceFinder._any_orientation(finder, bgr)]
    )
    found = look(file.to_look_at(), finder)
    assert found.photo.step == 1


def test_a_region_is_shrunk_to_what_the_whole_picture_shows_there(painting: U8) -> None:
    """Sampled from its surroundings alone, an even ramp comes out as it is in the picture."""
    across = np.tile(np.arange(1200, dtype=np.float32) / 5, (900, 1))
    ramp = np.repeat(across[..., None], 3, axis=2).round().astype(np.uint8)
    network, seen = FaceMesh(), list[U8]()
    blob_of = cv2.dnn.blobFromImage

    def noting(crop: U8, *values: Any, **named: Any) -> Any:
        seen.append(crop)
        return blob_of(crop, *values, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cv2.dnn, "blobFromImage", noting)
        network._run(ramp, _Region(600.0, 450.0, 800.0, 0.0))
    expected = (200 + (np.arange(192) * 800 / 192)) / 5
    assert np.abs(seen[0][100, :, 0] - expected).max() < 1.5


def test_any_engine_that_needs_a_face_takes_more_than_ours(
    finder: FaceFinder, tmp_path: Path, painting: U8
) -> None:
    astronaut, points = read_image(PORTRAIT), finder.find(painting).points
    small = saved(tmp_path, astronaut, 260)
    assert verdict(PortraitCheck().check, small) == "face_too_narrow"
    assert verdict(AnyFaceCheck().check, small) == ""
    assert verdict(AnyFaceCheck().check, saved(tmp_path, astronaut, 200)) == "face_too_narrow"
    for kind, code in (("fingers", "mouth_covered"), ("cut off", "mouth_cut_off"), ("nobody", "no_face")):
        path = saved(tmp_path, hard(painting, points, kind), 600)
        assert verdict(AnyFaceCheck().check, path) == code


def test_a_tiny_face_in_a_huge_photo_is_found_and_too_small_for_any(tmp_path: Path) -> None:
    photo = cv2.resize(read_image(PORTRAIT), (300, 300), interpolation=cv2.INTER_AREA)
    around = cv2.copyMakeBorder(photo, 900, 850, 700, 1050, cv2.BORDER_CONSTANT, value=(90, 110, 100))
    assert verdict(AnyFaceCheck().check, saved(tmp_path, around.astype(np.uint8), 2050)) == "face_too_small"


def test_of_several_faces_any_engine_s_check_remarks_on_them_as_ours(tmp_path: Path) -> None:
    face = read_image(PORTRAIT)[0:300, 75:375]
    path = saved(tmp_path, np.hstack([face, face]), 900)
    assert PortraitCheck().check(path) == AnyFaceCheck().check(path) != ()
