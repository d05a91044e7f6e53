"""Finding faces in a photo: BlazeFace over the whole picture, its four rotations, and tiles.

Method: Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs" (2019), the
256 × 256 "back camera" model; overlapping candidates are blended by score as the paper proposes.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engines.portrait.face.loading import load_network
from engines.portrait.face.models import DETECTOR
from engines.portrait.pixels import F32, F64, U8, resize_u8

INPUT_PX = 256
STRIDES = (16, 32, 32, 32)
"""Feature-map strides, each with two anchors per cell: 896 anchors in all."""
KEYPOINTS = 6
MIN_SCORE = 0.5
SAME_FACE_OVERLAP = 0.3
"""Intersection over union above which two candidates are one face."""


@dataclass(frozen=True)
class Detection:
    """One face: `box` (x0, y0, x1, y1) and `eyes` (2, 2) in image pixels, `score` 0..1."""

    score: float
    box: F64
    eyes: F64

    @property
    def size(self) -> float:
        """The longer side of the box in pixels."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    @property
    def centre(self) -> F64:
        return (self.box[:2] + self.box[2:]) / 2


def anchor_centres() -> F32:
    """Centres (896, 2) of the detector's anchors, as shares of its input's side."""
    rows = []
    for stride in dict.fromkeys(STRIDES):
        cells = INPUT_PX // stride
        y, x = np.mgrid[0:cells, 0:cells]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells
        rows.append(np.repeat(centres, 2 * STRIDES.count(stride), axis=0))
    return np.concatenate(rows).astype(np.float32)


class FaceDetector:
    """The network with its anchors. One instance per process; not for use from two threads at once."""

    def __init__(self) -> None:
        self._network = load_network(DETECTOR)
        self._outputs = self._network.getUnconnectedOutLayersNames()
        self._anchors = anchor_centres()

    def detect(self, bgr: U8) -> list[Detection]:
        """Upright faces (within about 45°) in `bgr` (H, W, 3), best first, in pixels of `bgr`."""
        height, width = bgr.shape[:2]
        scale = INPUT_PX / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = resize_u8(bgr, size, smooth=scale < 1)
        left, top = (INPUT_PX - size[0]) // 2, (INPUT_PX - size[1]) // 2
        canvas = np.zeros((INPUT_PX, INPUT_PX, 3), np.uint8)
        canvas[top : top + size[1], left : left + size[0]] = small
        points, scores = self._run(canvas)
        in_image = points * INPUT_PX
        in_image[:, [0, *range(2, 2 + KEYPOINTS)]] -= np.array([left, top])  # all but the box's size
        return _merge(in_image / scale, scores)

    def _run(self, canvas: U8) -> tuple[F64, F64]:
        """Candidates (n, 8, 2): centre, size and six key points, as shares of the input; scores (n,)."""
        blob = cv2.dnn.blobFromImage(
            canvas, 1 / 127.5, (INPUT_PX, INPUT_PX), (127.5, 127.5, 127.5), swapRB=True
        )
        self._network.setInput(blob)
        outputs: Any = self._network.forward(self._outputs)
        count = len(self._anchors)
        by_size = {output.size: output for output in outputs}
        logits = by_size[count].reshape(count).astype(np.float64)
        scores = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
        keep = scores > MIN_SCORE
        regressed = by_size[count * (4 + 2 * KEYPOINTS)].reshape(count, -1, 2)[keep] / INPUT_PX
        points = regressed.astype(np.float64)
        points[:, 0] += self._anchors[keep]
        points[:, 2:] += self._anchors[keep][:, None]
        return points, scores[keep]


def _merge(points: F64, scores: F64) -> list[Detection]:
    """Blend overlapping candidates; `points` (n, 8, 2) has box centre, box size and key points."""
    half = points[:, 1] / 2
    boxes = np.concatenate([points[:, 0] - half, points[:, 0] + half], axis=1)
    merged = []
    left = np.ones(len(scores), bool)
    for best in np.argsort(-scores):
        if not left[best]:
            continue
        group = left & (_overlap(boxes[best], boxes) > SAME_FACE_OVERLAP)
        group[best] = True
        left &= ~group
        weights = scores[group] / scores[group].sum()
        box = (boxes[group] * weights[:, None]).sum(axis=0)
        eyes = (points[group, 2:4] * weights[:, None, None]).sum(axis=0)
        merged.append(Detection(float(scores[best]), box, eyes))
    return merged


def _overlap(box: F64, boxes: F64) -> F64:
    """Intersection over union of `box` (4,) with each of `boxes` (n, 4)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    ratio: F64 = common / (np.prod(box[2:] - box[:2]) + areas - common + 1e-9)
    return ratio
