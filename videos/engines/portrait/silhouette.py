"""The person's outline: what moves with the head, and what is background and must stay.

Method: GrabCut (Rother, Kolmogorov and Blake, 2004) on a small copy of the photo, started from where the
face mesh says that face, hair, neck and shoulders should be. Hair that it takes for background would tear
while the head moves, so what lies over the skull counts as head whatever it says.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from videos.engines.portrait import landmarks as lm
from videos.engines.portrait.geometry import FaceFrame, Rect
from videos.engines.portrait.pixels import F32, F64, U8, blur, remap_float, resize_u8

WORK_SIDE_PX = 128
"""Longer side of the copy that is segmented."""
ROUNDS = 1
"""Of GrabCut; a second one changes the outline of no portrait looked at by more than a few pixels."""
FEATHER = 0.11
"""Softness of the outline in IOD: the band of background in which motion fades out."""
GROW = 0.05
"""How far outside the found outline motion is still full."""
ASIDE, ABOVE, BELOW = 2.6, 2.0, 2.6
"""What is looked at: half faces to either side, IOD above the face and below the chin."""
RANDOM_SEED = 1
"""GrabCut clusters colours from random starts; the same start gives the same video."""


@dataclass(frozen=True)
class Silhouette:
    """`mask` (h, w): 1 over the person and 0 over the background, softly, on squares that tile `rect`."""

    rect: Rect
    mask: F32

    def at_cells(self, grid: Rect, cell: int) -> F32:
        """The mask in the middle of the `cell`-sized squares that tile `grid`; its edges go on outside."""
        columns = grid.x0 + np.arange(grid.width // cell) * cell + cell / 2 - self.rect.x0
        rows = grid.y0 + np.arange(grid.height // cell) * cell + cell / 2 - self.rect.y0
        tall, wide = self.mask.shape
        x = (columns * wide / self.rect.width - 0.5).astype(np.float32)
        y = (rows * tall / self.rect.height - 0.5).astype(np.float32)
        return remap_float(self.mask, np.stack(np.meshgrid(x, y), axis=-1))


def person_reach(frame: FaceFrame, face: F64, size: tuple[int, int]) -> Rect:
    """The part of a picture of `size` (width, height) that can move: the head and what surrounds it.

    `face` (468, 2) is the mesh in the face frame.
    """
    oval = face[lm.OVAL]
    half, centre = float(np.ptp(oval[:, 0])) / 2, float(oval[:, 0].max() + oval[:, 0].min()) / 2
    top, chin = float(oval[:, 1].min()), float(face[lm.CHIN, 1])
    side = ASIDE * half
    return frame.box(centre - side, top - ABOVE, centre + side, chin + BELOW).clipped(Rect(0, 0, *size))


def find_silhouette(image: U8, rect: Rect, frame: FaceFrame, face: F64) -> Silhouette:
    """Cut the person out of `rect` of `image` (H, W, 3); `face` (468, 2) is its mesh in the face frame."""
    scale = min(1.0, WORK_SIDE_PX / max(rect.size))
    size = max(8, round(rect.width * scale)), max(8, round(rect.height * scale))
    small = resize_u8(np.ascontiguousarray(image[rect.luma]), size, smooth=True)
    columns = rect.x0 + (np.arange(size[0]) + 0.5) * rect.width / size[0] - 0.5
    rows = rect.y0 + (np.arange(size[1]) + 0.5) * rect.height / size[1] - 0.5
    at = frame.to_face(np.stack(np.meshgrid(columns, rows), axis=-1)).astype(np.float32)
    guess, skull = _first_guess(at[..., 0], at[..., 1], face)
    person = np.maximum(_segment(small, guess), skull)
    grow = max(1, round(GROW * frame.iod * scale))
    grown = cv2.dilate(person, np.ones((2 * grow + 1, 2 * grow + 1), np.uint8))
    soft = blur(grown.astype(np.float32), max(0.8, FEATHER * frame.iod * scale))
    return Silhouette(rect, soft)


def _first_guess(x: F32, y: F32, face: F64) -> tuple[U8, U8]:
    """GrabCut's four labels from geometry alone, and the skull (0 or 1), for face positions (h, w)."""
    oval = face[lm.OVAL]
    half, centre = float(np.ptp(oval[:, 0])) / 2, float(oval[:, 0].max() + oval[:, 0].min()) / 2
    top, chin = float(oval[:, 1].min()), float(face[lm.CHIN, 1])
    middle = (top + chin) / 2

    def radius(width: float, above: float, below: float) -> F32:
        up, down = middle - top + above, chin - middle + below
        tall = np.where(y < middle, up, down).astype(np.float32)
        return np.sqrt(((x - centre) / (width * half)) ** 2 + ((y - middle) / tall) ** 2).astype(np.float32)

    hair, skull = radius(1.5, 0.95, 0.2), radius(1.02, 0.30, 0.0) < 1
    aside = np.abs(x - centre)
    body = (y > chin + 0.1) & (aside < 0.55 * half + 0.95 * (y - chin))
    guess = np.full(x.shape, cv2.GC_PR_BGD, np.uint8)
    guess[hair < 1] = cv2.GC_PR_FGD
    guess[(hair > 1.75) & (y < chin)] = cv2.GC_BGD
    guess[body] = cv2.GC_PR_FGD
    guess[(y > chin) & (aside < 0.4 * half)] = cv2.GC_FGD
    guess[(y > chin + 0.9) & (aside < 0.5 * half)] = cv2.GC_FGD
    guess[radius(1.0, 0.0, 0.0) < 0.97] = cv2.GC_FGD
    return guess, skull.astype(np.uint8)


def _segment(small: U8, guess: U8) -> U8:
    """The person (0 or 1) in `small` (h, w, 3); the guess itself where GrabCut finds nothing to cut."""
    labels = guess.copy()
    cv2.setRNGSeed(RANDOM_SEED)
    try:
        cv2.grabCut(
            small, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK
        )
    except cv2.error:  # one side has no pixels at all, as in a picture that is all face
        labels = guess
    person = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    _, parts = cv2.connectedComponents(person)
    inside = parts[guess == cv2.GC_FGD]
    inside = inside[inside > 0]
    if not len(inside):
        return np.ones_like(person)
    chosen: U8 = (parts == np.bincount(inside).argmax()).astype(np.uint8)
    return chosen
