"""The person's outline: what moves with the head, and what stays."""

import cv2
import numpy as np
import pytest

from engines.portrait.face.detect import Detection
from engines.portrait.face.faces import FaceFinder
from engines.portrait.face.geometry import FaceFrame, Rect
from engines.portrait.face.landmarks import CHIN
from engines.portrait.face.silhouette import Mask, find_silhouette, person_reach, surroundings
from engines.portrait.pixels import F32, F64, U8
from engines.portrait.rig import _Picture, read_image
from tests.engines.portrait.conftest import MEDIA, PORTRAIT


def outline_of(photo: U8, finder: FaceFinder) -> tuple[Mask, FaceFrame]:
    """The mask as a rig gets it, and where the face is."""
    picture, tried = _Picture.of(photo), list[Detection]()
    points = picture.located(finder.find(photo, tried.append).points)
    frame = FaceFrame.from_landmarks(points)
    face = frame.to_face(points[:, :2])
    seen = finder.people.look(picture.image, picture.around(tried[-1]))
    return find_silhouette(seen, person_reach(frame, face, picture.size), frame, face), frame


def at(mask: Mask, frame: FaceFrame, *places: tuple[float, float]) -> list[float]:
    """The mask at `places` in the face frame."""
    spots = np.round(frame.to_image(np.array(places))).astype(int)
    return [float(mask.at_cells(Rect(x, y, x + 1, y + 1), 1)[0, 0]) for x, y in spots]


def test_hair_far_from_the_face_is_the_person_s(finder: FaceFinder) -> None:
    mask, frame = outline_of(read_image(MEDIA / "portrait-mona-lisa.jpg"), finder)
    hair = at(mask, frame, (0, -1.5), (-1.2, 1.5), (-1.3, 0.8), (1.8, 0), (1.7, 1.5))
    assert min(hair) > 0.9, hair
    sky = at(mask, frame, (-2.3, -1), (2.6, -1), (-2.3, 0.5), (0, -2.4))
    assert max(sky) < 0.1, sky


def test_what_is_behind_a_head_stays(finder: FaceFinder) -> None:
    mask, frame = outline_of(read_image(PORTRAIT), finder)
    assert min(at(mask, frame, (0, -1.6), (-1.5, -0.5), (1.4, -0.5), (0, 2))) > 0.9
    assert max(at(mask, frame, (-2.3, -1.2), (2.3, -1), (2.2, 0.5))) < 0.1


def test_a_small_face_in_a_large_photo_is_outlined_as_finely(finder: FaceFinder) -> None:
    photo = read_image(PORTRAIT)
    around = cv2.copyMakeBorder(photo, 250, 900, 900, 600, cv2.BORDER_REPLICATE).astype(np.uint8)
    (near, frame), (far, small) = (outline_of(picture, finder) for picture in (photo, around))
    x, y = np.meshgrid(np.linspace(-1.6, 1.6, 40), np.linspace(-1.4, 1.6, 40))
    grid = np.stack([x, y], axis=-1)

    def over(mask: Mask, frame: FaceFrame) -> F32:
        spots: F64 = np.round(frame.to_image(grid)).astype(int)
        return np.array([[mask.at_cells(Rect(*spot, *(spot + 1)), 1)[0, 0] for spot in row] for row in spots])

    one, other = over(near, frame) > 0.5, over(far, small) > 0.5
    assert (one & other).sum() / (one | other).sum() > 0.95


@pytest.fixture
def face(finder: FaceFinder) -> tuple[FaceFrame, F64]:
    points = finder.find(read_image(PORTRAIT)).points
    frame = FaceFrame.from_landmarks(points)
    return frame, frame.to_face(points[:, :2])


def test_where_no_person_is_seen_the_mesh_says_what_moves(face: tuple[FaceFrame, F64]) -> None:
    frame, mesh = face
    rect = Rect(0, 0, 512, 512)
    mask = find_silhouette(Mask(rect, np.zeros((9, 16), np.float32)), rect, frame, mesh)
    chin = float(mesh[CHIN, 1])
    assert min(at(mask, frame, (0, 0), (0, -1.0), (0, chin + 0.3), (0.7, chin + 0.9))) > 0.9
    assert max(at(mask, frame, (-1.9, -0.5), (1.9, -0.5))) < 0.1


def test_somebody_else_in_the_picture_does_not_move(face: tuple[FaceFrame, F64]) -> None:
    frame, mesh = face
    rect = Rect(0, 0, 512, 512)
    columns, rows = np.meshgrid(np.arange(512), np.arange(512))
    where = frame.to_face(np.stack([columns, rows], axis=-1).astype(np.float64))
    people = (np.abs(where[..., 0]) < 1) | (np.abs(where[..., 0] - 2.2) < 0.5)
    mask = find_silhouette(Mask(rect, people.astype(np.float32)), rect, frame, mesh)
    talking, other = at(mask, frame, (0.5, 1), (2.2, 0.5))
    assert (talking > 0.9, other < 0.1) == (True, True)


def test_what_is_looked_at_is_never_empty(finder: FaceFinder) -> None:
    """A first, rough detection may be anywhere."""
    around = surroundings(np.array([[5000.0, 40.0], [5100.0, 40.0]]), 200.0, (512, 512))
    assert finder.people.look(read_image(PORTRAIT), around).rect == Rect(0, 0, 512, 512)
