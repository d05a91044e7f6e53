"""`python -m workshop.figures PORTRAIT FOLDER`: how the engine sees a portrait, as pictures.

They are those of docs/portrait-engine.md; its contact sheet is the `sheet` command's.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engines.portrait.face.faces import FaceFinder
from engines.portrait.face.geometry import Rect
from engines.portrait.face.silhouette import PersonNetwork, find_silhouette
from engines.portrait.mouth.fields import ACTIONS
from engines.portrait.pixels import F64, U8
from engines.portrait.rig import PortraitRig, build_rig, fit, read_image

ENLARGE = 2
JPEG_QUALITY = 82
GREEN, YELLOW, RED, BLUE = (80, 220, 80), (60, 230, 250), (60, 60, 240), (240, 150, 60)


def _enlarged(image: U8) -> U8:
    picture: Any = cv2.resize(image, None, fx=ENLARGE, fy=ENLARGE, interpolation=cv2.INTER_CUBIC)
    return np.asarray(picture, np.uint8)


def _line(canvas: U8, points: F64, colour: tuple[int, int, int]) -> None:
    corners = np.round((points + 0.5) * ENLARGE - 0.5).astype(np.int32)
    cv2.polylines(canvas, [corners], False, colour, 1, cv2.LINE_AA)


def _box(canvas: U8, rect: Rect, colour: tuple[int, int, int]) -> None:
    top_left, bottom_right = (rect.x0 * ENLARGE, rect.y0 * ENLARGE), (rect.x1 * ENLARGE, rect.y1 * ENLARGE)
    cv2.rectangle(canvas, top_left, bottom_right, colour, 1, cv2.LINE_AA)


def regions(image: U8, points: F64, rig: PortraitRig) -> U8:
    """The mesh (green), the lips' edges (yellow), and what mouth (red), eyes (blue) and head may change."""
    canvas = _enlarged(image)
    for x, y in np.round((points[:, :2] + 0.5) * ENLARGE).astype(int):
        cv2.circle(canvas, (int(x), int(y)), 1, GREEN, -1, cv2.LINE_AA)
    for lip in (rig.mouth.shape.upper, rig.mouth.shape.lower):
        _line(canvas, rig.frame.to_image(lip), YELLOW)
    _box(canvas, rig.mouth.fields.rect, RED)
    for eye in rig.eyes:
        _box(canvas, eye.rect, BLUE)
    for band in rig.head.bands:
        _box(canvas, band.moved(rig.head.rect.x0, rig.head.rect.y0), (200, 200, 200))
    return canvas


def fields(image: U8, rig: PortraitRig) -> U8:
    """Where the jaw takes the upper layer (left) and the lower layer (right)."""
    mouth = rig.mouth.fields
    pictures = []
    for layer in (mouth.upper, mouth.lower):
        canvas = _enlarged(np.ascontiguousarray(image[mouth.rect.luma]))
        canvas = _enlarged(canvas // 2 + 60)
        arrows = layer[ACTIONS.index("jaw")].reshape(mouth.rows, mouth.columns, 2) * 0.3
        scale, step = ENLARGE * ENLARGE, max(1, mouth.columns // 24)
        for row in range(0, mouth.rows, step):
            for column in range(0, mouth.columns, step):
                start = (np.array([column, row]) + 0.5) * mouth.cell * scale
                end = start + arrows[row, column] * scale
                if np.abs(end - start).max() > 1:
                    first, last = np.round(start).astype(int).tolist(), np.round(end).astype(int).tolist()
                    cv2.arrowedLine(canvas, first, last, YELLOW, 1, cv2.LINE_AA, tipLength=0.3)
        pictures.append(canvas)
    return np.asarray(np.hstack(pictures), np.uint8)


def silhouette(image: U8, rig: PortraitRig, points: F64, people: PersonNetwork) -> U8:
    """What moves with the head; the background is darkened."""
    whole = Rect(0, 0, image.shape[1] & ~1, image.shape[0] & ~1)
    face = rig.frame.to_face(points[:, :2])
    mask = find_silhouette(people.look(image, whole), whole, rig.frame, face).at_cells(whole, 1)[..., None]
    dark = image.astype(np.float32) * 0.25 + np.array([70, 20, 40], np.float32)
    return np.clip(image * mask + dark * (1 - mask), 0, 255).astype(np.uint8)


def main(arguments: list[str] | None = None) -> int:
    """Write all figures."""
    parser = argparse.ArgumentParser(prog="python -m workshop.figures", description=__doc__)
    parser.add_argument("portrait", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    finder = FaceFinder()
    photo = read_image(options.portrait)
    image, factors = fit(photo)
    points = finder.find(photo).points * [*factors, factors[0]]
    rig = build_rig(options.portrait, finder)
    around = rig.frame.box(-2.2, -2.0, 2.2, 3.0).clipped(Rect(0, 0, rig.planes.width, rig.planes.height))
    crop = tuple(slice(part.start * ENLARGE, part.stop * ENLARGE) for part in around.luma)
    figures = {
        "regions": regions(image, points, rig)[crop],
        "fields": fields(image, rig),
        "silhouette": silhouette(image, rig, points, finder.people)[around.luma],
    }
    for name, picture in figures.items():
        path = options.folder / f"{name}.jpg"
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return 0


if __name__ == "__main__":
    sys.exit(main())
