"""Warping one picture after another by a head's rig, and only those parts that may have changed."""

import math
from dataclasses import dataclass

import numpy as np

from engines.portrait.face.geometry import Rect
from engines.portrait.head.warp import HeadRig
from engines.portrait.pixels import F32, U8, Map, remap, resize
from engines.portrait.video.colour import Planes


@dataclass(frozen=True)
class _Part:
    """A part of the moving area, in pixels of the picture, with what one call per plane needs to draw it."""

    rect: Rect
    warps: list[tuple[U8, Map, U8]]
    """Each plane's photo, where its samples come from, and the part of the target they go to."""
    copies: list[tuple[U8, U8]]
    """The part of each plane of the source and of the target."""


class HeadRenderer:
    """Warps `source` into `target`, planes of one portrait's size. One per thread.

    It keeps its maps and what it has drawn; the views of planes and maps that draw a part are made once.
    """

    def __init__(self, rig: HeadRig, source: Planes, target: Planes) -> None:
        self._rig, self._source, self._target = rig, source, target
        self._cell = rig.cell
        rows, columns = rig.base.shape[:2]
        # planes of x and of y, see `Map`
        self._basis = np.ascontiguousarray(
            rig.basis.reshape(-1, rows, columns, 2).transpose(0, 3, 1, 2)
        ).reshape(len(rig.basis), -1)
        self._base = np.ascontiguousarray(rig.base.transpose(2, 0, 1))
        self._full = [np.empty((rows * rig.cell, columns * rig.cell), np.float32) for _ in "xy"]
        self._half = [np.empty((rows * rig.cell // 2, columns * rig.cell // 2), np.float32) for _ in "xy"]
        self._drawn: F32 | None = None
        self._reach = 0
        self._bands = [self._part(band) for band in rig.bands]
        self._showing: dict[tuple[int, tuple[Rect, ...]], list[_Part]] = {}

    def reset(self) -> None:
        """Forget what was drawn, so that the next picture is drawn whole."""
        self._drawn = None

    def draw(self, weights: F32, changed: list[Rect]) -> list[Rect]:
        """Warp the head by `weights` (actions,); the parts of the target drawn.

        If the weights are those of the last call only what shows the `changed` parts of the source is drawn:
        the target must still hold the last picture.
        """
        held = self._drawn is not None and np.array_equal(weights, self._drawn)
        if not held:
            self._drawn = weights.copy()
            self._prepare(weights)
        parts = self._parts_showing(changed) if held else self._bands
        if weights.any():
            for part in parts:
                for photo, where, picture in part.warps:
                    remap(photo, where, out=picture)
        else:
            for part in parts:
                for photo, picture in part.copies:
                    picture[:] = photo
        return [part.rect for part in parts]

    def _parts_showing(self, changed: list[Rect]) -> list[_Part]:
        """The parts of the bands in which the `changed` parts of the source may be seen, none twice."""
        key = self._reach, tuple(changed)
        parts = self._showing.get(key)
        if parts is None:
            rects = _parts_of(self._rig.bands, [part.grown(self._reach) for part in self._inside(changed)])
            parts = self._showing[key] = [self._part(rect) for rect in rects]
        return parts

    def _inside(self, parts: list[Rect]) -> list[Rect]:
        """Parts of the picture in pixels of the moving area."""
        return [part.moved(-self._rig.rect.x0, -self._rig.rect.y0) for part in parts]

    def _prepare(self, weights: F32) -> None:
        """Lay out the maps for `weights`, and how far they reach."""
        away = weights @ self._basis
        # two pixels more for the samples' neighbours; even, as all corners are
        self._reach = (math.ceil(max(away.max(), -away.min())) + 3) // 2 * 2
        coords = away.reshape(self._base.shape) + self._base
        rows, columns = coords.shape[1:]
        size = columns * self._cell, rows * self._cell
        for plane, full in zip(coords, self._full, strict=True):
            resize(plane, size, out=full)
        # a chroma sample sits in the middle of 2 × 2 luma pixels
        coords *= np.float32(0.5)
        coords -= np.float32(0.25)
        for plane, half in zip(coords, self._half, strict=True):
            resize(plane, (size[0] // 2, size[1] // 2), out=half)

    def _part(self, part: Rect) -> _Part:
        """`part`, in pixels of the moving area, ready to be drawn."""
        rect, cell = self._rig.rect, self._cell
        there = part.moved(cell, cell)  # in the maps, which have one cell more around
        full: Map = (self._full[0][there.luma], self._full[1][there.luma])
        half: Map = (self._half[0][there.chroma], self._half[1][there.chroma])
        warps, copies = [], []
        for name in ("y", "u", "v"):
            photo, picture = getattr(self._source, name), getattr(self._target, name)
            whole, inner = (rect.luma, part.luma) if name == "y" else (rect.chroma, part.chroma)
            photo, picture = photo[whole], picture[whole][inner]
            warps.append((photo, full if name == "y" else half, picture))
            copies.append((photo[inner], picture))
        return _Part(part.moved(rect.x0, rect.y0), warps, copies)


def _parts_of(bands: list[Rect], boxes: list[Rect]) -> list[Rect]:
    """What the `bands` hold of the `boxes`, none of it twice."""
    parts: list[Rect] = []
    for box in boxes:
        for band in bands:
            inside = box.clipped(band)
            if not inside.empty:
                parts = _joined(parts, inside)
    return parts


def _joined(parts: list[Rect], new: Rect) -> list[Rect]:
    """`parts`, which do not overlap, with `new`; what goes together with it is replaced by a box around all.

    Together go boxes that overlap, and boxes of the same columns that meet.
    """
    apart = [part for part in parts if not _together(part, new)]
    if len(apart) == len(parts):
        return [*parts, new]
    boxes = [new, *(part for part in parts if _together(part, new))]
    left, right = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
    around = Rect(left, min(box.y0 for box in boxes), right, max(box.y1 for box in boxes))
    return _joined(apart, around)


def _together(one: Rect, other: Rect) -> bool:
    meet = (one.x0, one.x1) == (other.x0, other.x1) and one.y0 <= other.y1 and other.y0 <= one.y1
    return meet or one.overlaps(other)
