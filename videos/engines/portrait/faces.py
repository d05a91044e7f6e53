"""Choosing the face that talks."""

from dataclasses import dataclass

from videos.engines.base import NoFaceError
from videos.engines.portrait.detect import FaceDetector
from videos.engines.portrait.mesh import FaceMesh
from videos.engines.portrait.pixels import F64, U8


@dataclass(frozen=True)
class FoundFace:
    """The chosen face: mesh `points` (468, 3) in image pixels, and `notes` for the user."""

    points: F64
    notes: tuple[str, ...] = ()


class FaceFinder:
    """Detector and mesh together. One per process."""

    def __init__(self) -> None:
        self._detector = FaceDetector()
        self._mesh = FaceMesh()

    def find(self, bgr: U8) -> FoundFace:
        """The face to animate in `bgr` (H, W, 3); raises `NoFaceError` or `UnusablePortraitError`."""
        detections = self._detector.detect(bgr)
        if not detections:
            raise NoFaceError("No face was found in the portrait.")
        best = max(detections, key=lambda detection: detection.size * detection.score)
        mesh = self._mesh.locate(bgr, best)
        return FoundFace(mesh.points)
