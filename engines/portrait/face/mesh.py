"""The 468-point face mesh.

Method: Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs" (2019),
with MediaPipe's region rules: a square 1.5 times the box, rolled so that the eyes are level, and a second
pass on the region of the first result.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engines.portrait.face import landmarks as lm
from engines.portrait.face.detect import Detection
from engines.portrait.face.loading import load_network
from engines.portrait.face.models import MESH
from engines.portrait.pixels import F64, U8, resize_u8

INPUT_PX = 192
POINTS = 468
REGION_SCALE = 1.5
"""Side of the region as a multiple of the face's box."""


@dataclass(frozen=True)
class Mesh:
    """`points` (468, 3): x and y in image pixels, z (towards the camera is negative) on the same scale.

    `confidence` 0..1 that the region showed a face at all.
    """

    points: F64
    confidence: float


@dataclass(frozen=True)
class _Region:
    """A square of side `side` pixels around (`x`, `y`), rolled by `angle` radians."""

    x: float
    y: float
    side: float
    angle: float

    @staticmethod
    def of_detection(detection: Detection) -> "_Region":
        across = detection.eyes[1] - detection.eyes[0]
        x, y = detection.centre
        return _Region(x, y, detection.size * REGION_SCALE, math.atan2(across[1], across[0]))

    @staticmethod
    def of_points(points: F64) -> "_Region":
        across = points[lm.EYE_CORNERS_B[1], :2] - points[lm.EYE_CORNERS_A[0], :2]
        angle = math.atan2(across[1], across[0])
        level = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        upright = points[:, :2] @ level.T
        low, high = upright.min(axis=0), upright.max(axis=0)
        x, y = level.T @ ((low + high) / 2)
        return _Region(float(x), float(y), float((high - low).max()) * REGION_SCALE, angle)

    def to_image(self) -> F64:
        """(2, 3) matrix from the network's input pixels to image pixels."""
        scale = self.side / INPUT_PX
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        half = self.side / 2
        return np.array(
            [
                [cos * scale, -sin * scale, self.x - (cos - sin) * half],
                [sin * scale, cos * scale, self.y - (sin + cos) * half],
            ]
        )


class FaceMesh:
    """The network. One instance per process; not for use from two threads at once."""

    def __init__(self) -> None:
        self._network = load_network(MESH)
        self._outputs = self._network.getUnconnectedOutLayersNames()

    def locate(self, bgr: U8, detection: Detection) -> Mesh:
        """The mesh of a detected face in `bgr` (H, W, 3)."""
        return self.track(bgr, self._run(bgr, _Region.of_detection(detection)))

    def track(self, bgr: U8, previous: Mesh) -> Mesh:
        """The mesh near where it was before: in the same picture, or in the next one of a video."""
        return self._run(bgr, _Region.of_points(previous.points))

    def _run(self, bgr: U8, region: _Region) -> Mesh:
        to_image = region.to_image()
        source, to_source = _source(bgr, to_image, int(region.side / INPUT_PX))
        crop = cv2.warpAffine(
            source,
            to_source,
            (INPUT_PX, INPUT_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        self._network.setInput(cv2.dnn.blobFromImage(crop, 1 / 255.0, (INPUT_PX, INPUT_PX), swapRB=True))
        outputs: Any = self._network.forward(self._outputs)
        by_size = {output.size: output for output in outputs}
        raw = by_size[POINTS * 3].reshape(POINTS, 3).astype(np.float64)
        logit = max(-80.0, min(80.0, float(by_size[1].item())))
        points = np.empty_like(raw)
        points[:, :2] = np.c_[raw[:, :2], np.ones(POINTS)] @ to_image.T
        points[:, 2] = raw[:, 2] * region.side / INPUT_PX
        return Mesh(points, 1 / (1 + math.exp(-logit)))


def _source(bgr: U8, to_image: F64, factor: int) -> tuple[U8, F64]:
    """What a region is sampled from, and the matrix from the network's input pixels to its pixels.

    Where the region is `factor` times as wide as the input, twice or more, the picture around it is shrunk
    first: sampling every few pixels would alias.
    """
    height, width = bgr.shape[:2]
    if factor < 2 or min(height, width) < factor:
        return bgr, to_image
    ends = np.array([0, INPUT_PX - 1])
    corners = np.stack([*np.meshgrid(ends, ends), np.ones((2, 2))]).reshape(3, 4)
    low, high = (to_image @ corners).min(axis=1), (to_image @ corners).max(axis=1)
    spans = [_cells(low[axis], high[axis], side, factor) for axis, side in enumerate((width, height))]
    (left, across), (top, down) = spans
    part = bgr[top : top + down * factor, left : left + across * factor]
    to_source = to_image.copy()
    to_source[:, 2] -= [left + (factor - 1) / 2, top + (factor - 1) / 2]  # pixel centres are on integers
    return resize_u8(np.ascontiguousarray(part), (across, down), smooth=True), to_source / factor


def _cells(low: float, high: float, side: int, factor: int) -> tuple[int, int]:
    """Where whole cells of `factor` pixels begin that cover `low` to `high` as far as the `side` has them,
    with one more on either end; and how many."""
    most = side // factor
    first = min(max(0, int(low // factor) - 1), most - 1)
    last = min(max(first, int(high // factor) + 1), most - 1)
    return first * factor, last - first + 1
