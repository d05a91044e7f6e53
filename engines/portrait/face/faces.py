"""Choosing the face that talks: in any orientation, in a crowd, or small in a large photo."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from engines.base import NoFaceError, Note, UnusablePortraitError
from engines.portrait.face import landmarks as lm
from engines.portrait.face.detect import Detection, FaceDetector
from engines.portrait.face.geometry import FaceFrame
from engines.portrait.face.mesh import FaceMesh, Mesh
from engines.portrait.face.silhouette import PersonNetwork
from engines.portrait.pixels import F64, U8

SURE_SCORE = 0.80
"""An upright detection below this makes the other orientations worth a look."""
UPRIGHT_BONUS = 0.05
"""How much better another orientation must be before it is believed."""
MIN_CONFIDENCE = 0.5
"""The mesh's own opinion of whether it sees a face."""
MIN_FACE_PX = 64
"""Smallest face (longer side of its box) in the photo; its lips would be guessed rather than seen."""
MAX_TURN_DEG = 40.0
"""How far aside the mesh may see the eyes turned; it sees less than there is, so that this is about 50°."""
MAX_GAPE = 0.385
"""Lips further apart than this (IOD) show tongue and throat, which nobody could close over."""
MOUTH_ROOM = ((-0.04, 0.0), (0.04, 0.0), (0.0, 0.14))
"""What must be left of the picture beside and below the lips (IOD), or they have nowhere to move."""
CLOSE_PX = 128
"""A face at least this large (longer side of its box) shows all that the mesh's input can hold."""
TILE_SHARE = 2
"""Tiles are this fraction of the photo's longer side, overlapping by half. In the largest photo a face of 54
pixels has 12 in the input of the detector, which saw each of six faces at 10, wherever they were."""
MIN_TILE_PX = 200
SAME_FACE_DISTANCE = 0.5
"""Detections whose centres are closer than this share of the larger one's size are one face."""
RIVAL_SIZE = 0.4
"""Faces at least this large relative to the chosen one are counted and mentioned."""

TURNS = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)


@dataclass(frozen=True)
class FaceNeeds:
    """What an engine needs of a face."""

    min_px: float
    """Longer side of its box in the photo."""
    min_share: float
    """The same as a share of the photo's longer side."""
    max_turn_deg: float
    """How far aside the mesh may see the eyes turned; it sees less than there is."""
    mouth_room: tuple[tuple[float, float], ...]
    """What must be left of the photo beside and below the lips (IOD)."""
    max_gape: float | None
    """How far apart the lips may be (IOD); None: as far as they like."""


OUR_NEEDS = FaceNeeds(MIN_FACE_PX, 0.0, MAX_TURN_DEG, MOUTH_ROOM, MAX_GAPE)
"""Those of the portrait engine."""


@dataclass(frozen=True)
class Photo:
    """What a face is looked for in: `seen`, and the `whole` photo, `step` times as many pixels each way."""

    seen: U8
    step: int
    whole: Callable[[], U8]

    @staticmethod
    def of(bgr: U8) -> "Photo":
        """One that is looked at as it is."""
        return Photo(bgr, 1, lambda: bgr)

    def placed(self, points: F64) -> F64:
        """Points (n, 2 or 3) of what is seen, in pixels of the whole photo."""
        moved = points * self.step
        moved[:, :2] += (self.step - 1) / 2  # pixel centres are on integers in both
        return moved


@dataclass(frozen=True)
class FoundFace:
    """The chosen face: mesh `points` (468, 3) in pixels of the whole photo, and `notes` for the user."""

    points: F64
    notes: tuple[Note, ...]
    photo: Photo
    """What it was found in."""
    points_seen: F64
    """The points in pixels of what was seen of it."""


class FaceFinder:
    """Detector and mesh together, and what tells `people` from backgrounds. One per process."""

    def __init__(self) -> None:
        self._detector = FaceDetector()
        self._mesh = FaceMesh()

    @cached_property
    def people(self) -> PersonNetwork:
        """Loaded when it is needed: a look at the face alone does without."""
        return PersonNetwork()

    def find(self, bgr: U8, detected: Callable[[Detection], object] | None = None) -> FoundFace:
        """The face to animate in `bgr` (H, W, 3), as `find_in` finds it."""
        return self.find_in(Photo.of(bgr), detected)

    def find_in(
        self,
        photo: Photo,
        detected: Callable[[Detection], object] | None = None,
        needs: FaceNeeds = OUR_NEEDS,
    ) -> FoundFace:
        """The face to animate.

        A face that the smaller copy of the photo shows in too few pixels, or not at all, is looked for in the
        whole photo. `detected` is told of every face that is tried, in pixels of the whole photo, before its
        mesh is located.

        Raises `NoFaceError` where there is none, and `UnusablePortraitError` where it does not meet the
        `needs`: too small, turned too far aside, cut off at the mouth, or its mouth wide open.
        """
        bgr, ways = photo.seen, [self._any_orientation]
        if photo.step == 1:
            ways.append(self._tiles)
        for way in ways:
            ranked = sorted(_distinct(way(bgr)), key=lambda found: _prominence(found, bgr), reverse=True)
            for chosen in ranked:
                if photo.step > 1 and chosen.size < CLOSE_PX:
                    break
                if detected is not None:
                    detected(_placed(chosen, photo))
                if found := self._located(chosen, photo, needs):
                    return replace(found, notes=_notes(chosen, ranked))
        if photo.step > 1:
            return self.find_in(Photo.of(photo.whole()), detected, needs)
        raise NoFaceError

    def _located(self, chosen: Detection, photo: Photo, needs: FaceNeeds) -> FoundFace | None:
        """The face with its mesh; None where the mesh sees none."""
        mesh = self._mesh.locate(photo.seen, chosen)
        if mesh.confidence < MIN_CONFIDENCE:
            return None
        height, width = photo.seen.shape[:2]
        _require_usable(chosen, mesh, width, height, needs)
        return FoundFace(photo.placed(mesh.points), (), photo, mesh.points)

    def _any_orientation(self, bgr: U8) -> list[Detection]:
        """Faces of the orientation that shows them best."""
        best = self._detector.detect(bgr)
        best_score = max((found.score for found in best), default=0.0) + UPRIGHT_BONUS
        if best_score >= SURE_SCORE + UPRIGHT_BONUS:
            return best
        for turn in TURNS[1:]:
            turned = self._detector.detect(_turned(bgr, turn))
            score = max((found.score for found in turned), default=0.0)
            if score > best_score:
                best_score = score
                best = [_turned_back(found, turn, bgr.shape[0], bgr.shape[1]) for found in turned]
        return best

    def _tiles(self, bgr: U8) -> list[Detection]:
        """Faces too small to be seen in the whole photo."""
        height, width = bgr.shape[:2]
        side, found = max(height, width) // TILE_SHARE, list[Detection]()
        if side < MIN_TILE_PX:
            return found
        for top in _starts(height, side):
            for left in _starts(width, side):
                tile = np.ascontiguousarray(bgr[top : top + side, left : left + side])
                found += [_moved(face, left, top) for face in self._detector.detect(tile)]
        return found


def _prominence(found: Detection, bgr: U8) -> float:
    """Large, central and surely a face."""
    height, width = bgr.shape[:2]
    middle = np.array([width, height]) / 2
    away = float(np.linalg.norm(found.centre - middle) / np.linalg.norm(middle))
    return found.size * (1 - 0.6 * min(1.0, away)) * found.score


def _placed(found: Detection, photo: Photo) -> Detection:
    return Detection(found.score, photo.placed(found.box.reshape(2, 2)).ravel(), photo.placed(found.eyes))


def _require_usable(
    chosen: Detection, mesh: Mesh, width: int, height: int, needs: FaceNeeds = OUR_NEEDS
) -> None:
    """In the pixels of the picture of this size; one with few of them has shown a face of `CLOSE_PX`."""
    if chosen.size < needs.min_px:
        raise UnusablePortraitError("face_too_narrow", width=round(chosen.size), limit=round(needs.min_px))
    if chosen.size < needs.min_share * max(width, height):
        raise UnusablePortraitError("face_too_small")
    left, right = (mesh.points[list(pair)].mean(axis=0) for pair in (lm.EYE_CORNERS_A, lm.EYE_CORNERS_B))
    across = right - left
    turn = math.degrees(math.atan2(abs(across[2]), float(np.linalg.norm(across[:2]))))
    if turn > needs.max_turn_deg:
        raise UnusablePortraitError("face_turned_aside")
    frame = FaceFrame.from_landmarks(mesh.points)
    lips = frame.to_face(mesh.points[lm.OUTER_UPPER_LIP + lm.OUTER_LOWER_LIP, :2])
    around = frame.to_image(np.concatenate([lips + np.array(way) for way in needs.mouth_room]))
    if around.min() < 0 or (around > [width - 1, height - 1]).any():
        raise UnusablePortraitError("mouth_cut_off")
    lip_gap = mesh.points[[lm.UPPER_LIP_INNER, lm.LOWER_LIP_INNER], :2]
    if needs.max_gape is not None and float(np.ptp(frame.to_face(lip_gap)[:, 1])) > needs.max_gape:
        raise UnusablePortraitError("mouth_wide_open")


def _notes(chosen: Detection, faces: list[Detection]) -> tuple[Note, ...]:
    count = sum(found.size >= RIVAL_SIZE * chosen.size for found in faces)
    if count < 2:
        return ()
    return (Note("several_faces", {"number": count}),)


def _turned(bgr: U8, turn: int | None) -> U8:
    return bgr if turn is None else np.asarray(cv2.rotate(bgr, turn), np.uint8)


def _turned_back(found: Detection, turn: int | None, height: int, width: int) -> Detection:
    """A detection in a turned photo, in the coordinates of the photo of `height` × `width`."""

    def back(points: F64) -> F64:
        x, y = points[:, 0], points[:, 1]
        if turn == cv2.ROTATE_90_CLOCKWISE:
            return np.stack([y, height - 1 - x], axis=1)
        if turn == cv2.ROTATE_180:
            return np.stack([width - 1 - x, height - 1 - y], axis=1)
        return np.stack([width - 1 - y, x], axis=1)

    corners = back(found.box.reshape(2, 2))
    return Detection(
        found.score, np.concatenate([corners.min(axis=0), corners.max(axis=0)]), back(found.eyes)
    )


def _starts(length: int, side: int) -> list[int]:
    """Where overlapping tiles of `side` begin along `length`."""
    if length <= side:
        return [0]
    count = -(-(length - side) // (side // 2)) + 1
    return [round(index * (length - side) / (count - 1)) for index in range(count)]


def _moved(found: Detection, dx: int, dy: int) -> Detection:
    shift = np.array([dx, dy], float)
    return Detection(found.score, found.box + np.tile(shift, 2), found.eyes + shift)


def _distinct(faces: list[Detection]) -> list[Detection]:
    """One detection for each face: several tiles may show it, and a face that fills the picture has parts."""
    kept: list[Detection] = []
    for found in sorted(faces, key=lambda face: face.score * face.size, reverse=True):
        near = [
            np.linalg.norm(found.centre - other.centre) < SAME_FACE_DISTANCE * other.size for other in kept
        ]
        if not any(near):
            kept.append(found)
    return kept
