"""The person's outline: what moves with the head, and what is background and must stay.

Method: MediaPipe's selfie segmentation (the landscape model), a network that tells people from backgrounds.
What lies over the skull counts as head whatever the network says, and where it sees no person, as in some
drawings, the face mesh says where hair, neck and shoulders should be.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.portrait.face.geometry import FaceFrame, FaceOval, Rect, cell_centres, centres
from engines.portrait.face.loading import load_network
from engines.portrait.face.models import PEOPLE
from engines.portrait.pixels import F32, F64, U8, blur, remap_float, resize_u8

INPUT_PX = (256, 144)
"""The network's input, width and height; what it looks at is stretched to it."""
WORK_SIDE_PX = 96
"""Longer side of the copy in which the outline is drawn."""
PERSON = 0.5
"""The network's opinion from which on something is a person."""
MIN_SEEN = 0.6
"""Share of the face in which the network has to see a person to be believed."""
FEATHER = 0.11
"""Softness of the outline in IOD: the band of background in which motion fades out."""
GROW = 0.05
"""How far outside the found outline motion is still full."""
ASIDE, ABOVE, BELOW = 2.6, 2.0, 2.6
"""How far the person reaches: half faces to either side, IOD above the face and below the chin."""
LOOK_ASIDE, LOOK_ABOVE, LOOK_BELOW = 1.25, 1.2, 1.8
"""About the same from the eyes in sizes of the detected face, as measured on 45 faces."""

Flags = NDArray[np.bool_]


class PersonNetwork:
    """The network. One instance per process; not for use from two threads at once."""

    def __init__(self) -> None:
        self._network = load_network(PEOPLE)

    def look(self, image: U8, rect: Rect) -> "Mask":
        """How surely each part of `rect` of `image` (H, W, 3) shows a person, 0..1."""
        small = resize_u8(np.ascontiguousarray(image[rect.luma]), INPUT_PX, smooth=True)
        self._network.setInput(cv2.dnn.blobFromImage(small, 1 / 255, INPUT_PX, swapRB=True))
        return Mask(rect, np.asarray(self._network.forward(), np.float32).reshape(INPUT_PX[::-1]))


@dataclass(frozen=True)
class Mask:
    """`values` (h, w) 0..1 of the equal boxes that tile `rect`."""

    rect: Rect
    values: F32

    def at_cells(self, grid: Rect, cell: int) -> F32:
        """The mask in the middle of the `cell`-sized squares that tile `grid`; its edges go on outside."""
        return self.at(*cell_centres(grid, cell))

    def at(self, columns: F64, rows: F64) -> F32:
        """The mask where `columns` and `rows` cross, in pixels of the picture."""
        tall, wide = self.values.shape
        x = ((columns + 0.5 - self.rect.x0) * (wide / self.rect.width) - 0.5).astype(np.float32)
        y = ((rows + 0.5 - self.rect.y0) * (tall / self.rect.height) - 0.5).astype(np.float32)
        return remap_float(self.values, np.stack(np.meshgrid(x, y), axis=-1))


def person_reach(frame: FaceFrame, face: F64, size: tuple[int, int]) -> Rect:
    """The part of a picture of `size` (width, height) that can move: the head and what surrounds it.

    `face` (468, 2) is the mesh in the face frame.
    """
    oval = FaceOval.of(face)
    left, right = oval.centre - ASIDE * oval.half, oval.centre + ASIDE * oval.half
    return frame.box(left, oval.top - ABOVE, right, oval.chin + BELOW).clipped(Rect(0, 0, *size))


def surroundings(eyes: F64, face_px: float, size: tuple[int, int]) -> Rect:
    """About what `person_reach` will be, of a face `face_px` large with these `eyes` (2, 2) in pixels."""
    across = eyes[1] - eyes[0]
    right = across / max(float(np.linalg.norm(across)), 1e-6)
    frame = FaceFrame(eyes.mean(axis=0), np.array([right, [-right[1], right[0]]]), face_px)
    whole = Rect(0, 0, *size)
    around = frame.box(-LOOK_ASIDE, -LOOK_ABOVE, LOOK_ASIDE, LOOK_BELOW).clipped(whole)
    return whole if around.empty else around


def find_silhouette(seen: Mask, rect: Rect, frame: FaceFrame, face: F64) -> Mask:
    """1 over the person and 0 over the background, softly, from what the network has `seen` of `rect`.

    `face` (468, 2) is the person's mesh in the face frame.
    """
    scale = min(1.0, WORK_SIDE_PX / max(rect.size))
    size = max(8, round(rect.width * scale)), max(8, round(rect.height * scale))
    columns, rows = centres(rect, size)
    parts = _Parts.of(*frame.crossing(columns, rows), FaceOval.of(face))
    person = seen.at(columns, rows) > PERSON
    if person[parts.face].mean() < MIN_SEEN:
        person = parts.likely
    whole = _one_piece((person | parts.skull).astype(np.uint8), parts.face)
    grow = max(1, round(GROW * frame.iod * scale))
    grown = cv2.dilate(whole, np.ones((2 * grow + 1, 2 * grow + 1), np.uint8))
    return Mask(rect, blur(grown.astype(np.float32), max(0.8, FEATHER * frame.iod * scale)))


@dataclass(frozen=True)
class _Parts:
    """Where the mesh says that the `face` is, the `skull`, and `likely` hair, neck and shoulders (h, w)."""

    face: Flags
    skull: Flags
    likely: Flags

    @staticmethod
    def of(x: F32, y: F32, oval: FaceOval) -> "_Parts":
        """At face positions `x`, `y` (h, w)."""

        def within(width: float, above: float, below: float) -> Flags:
            up, down = oval.middle - oval.top + above, oval.chin - oval.middle + below
            tall = np.where(y < oval.middle, up, down).astype(np.float32)
            aside = (x - oval.centre) / (width * oval.half)
            inside: Flags = aside**2 + ((y - oval.middle) / tall) ** 2 < 1
            return inside

        shoulder = 0.55 * oval.half + 0.95 * (y - oval.chin)
        body = (y > oval.chin + 0.1) & (np.abs(x - oval.centre) < shoulder)
        return _Parts(within(0.9, 0, 0), within(1.02, 0.30, 0), within(1.5, 0.95, 0.2) | body)


def _one_piece(person: U8, face: Flags) -> U8:
    """Of `person` (0 or 1) only what hangs together with the `face`: not somebody else beside it."""
    _, pieces = cv2.connectedComponents(person)
    found = pieces[face & (person > 0)]
    if not len(found):
        return np.ones_like(person)
    piece: U8 = (pieces == np.bincount(found).argmax()).astype(np.uint8)
    return piece
