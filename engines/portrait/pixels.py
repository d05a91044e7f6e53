"""Thin, typed wrappers around the few OpenCV calls the engine makes.

OpenCV's stubs describe every array as "some matrix"; these wrappers state the element types the
engine relies on, so that the rest of the package type-checks strictly. They add no behaviour.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
F64 = NDArray[np.float64]
Map = tuple[F32, F32]
"""Where samples come from: planes (h, w) of x and of y in the source's pixels."""

SUBPIXEL_BITS = 4
"""Fractional bits of the fixed-point polygon corners handed to OpenCV: 1/16 pixel."""
OVERSAMPLING = 4
"""How many times larger a covered area is drawn before it is averaged."""


def remap(source: U8, coords: F32 | Map, *, cubic: bool = False, out: U8 | None = None) -> U8:
    """Sample `source` (H, W) at `coords` (h, w, 2) or a `Map`, in source pixels; the edge is replicated."""
    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    x, y = coords if isinstance(coords, tuple) else (coords, None)
    result: Any = cv2.remap(source, x, y, method, dst=out, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[arg-type]
    return result  # type: ignore[no-any-return]


def remap_float(source: F32, coords: F32 | Map) -> F32:
    """Sample a float array (H, W) or (H, W, c) linearly at `coords` (h, w, 2) or a `Map`."""
    x, y = coords if isinstance(coords, tuple) else (coords, None)
    result: Any = cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[arg-type]
    return result  # type: ignore[no-any-return]


def pixel_grid(width: int, height: int) -> Map:
    """The `Map` that changes nothing, for `width` × `height` pixels."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def interleave(planes: list[F32]) -> F32:
    """Planes (h, w) as the channels of one array (h, w, c)."""
    result: Any = cv2.merge(planes)
    return result  # type: ignore[no-any-return]


def shift(source: F32, dx: float, dy: float, size: tuple[int, int]) -> F32:
    """Move `source` by (dx, dy) pixels and crop to `size` (width, height); edge replicated."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    result: Any = cv2.warpAffine(
        source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return result  # type: ignore[no-any-return]


def resize(source: F32, size: tuple[int, int], *, out: F32 | None = None) -> F32:
    """Resize a float array to `size` (width, height), bilinear."""
    result: Any = cv2.resize(source, size, dst=out, interpolation=cv2.INTER_LINEAR)
    return result  # type: ignore[no-any-return]


def shrink(source: F32, size: tuple[int, int]) -> F32:
    """Resize a float array down to `size` (width, height) by averaging."""
    result: Any = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
    return result  # type: ignore[no-any-return]


def transform(source: F32, matrix: F64) -> F32:
    """Apply an affine `matrix` (m, c + 1) to the channels of every pixel (H, W, c)."""
    result: Any = cv2.transform(source, matrix)
    return result  # type: ignore[no-any-return]


def halve(source: F32) -> F32:
    """Average 2 × 2 blocks of an array with even sides, as chroma subsampling does."""
    return shrink(source, (source.shape[1] // 2, source.shape[0] // 2))


def resize_u8(source: U8, size: tuple[int, int], *, smooth: bool) -> U8:
    """Resize 8-bit pixels; `smooth` averages (for shrinking), else bicubic (for enlarging)."""
    method = cv2.INTER_AREA if smooth else cv2.INTER_CUBIC
    result: Any = cv2.resize(source, size, interpolation=method)
    return result  # type: ignore[no-any-return]


def blur(source: F32, sigma: float) -> F32:
    """Gaussian blur with `sigma` in pixels."""
    result: Any = cv2.GaussianBlur(source, (0, 0), sigma)
    return result  # type: ignore[no-any-return]


def to_bytes(values: F32) -> U8:
    """Round to 8 bits, clamped."""
    result: Any = cv2.convertScaleAbs(np.maximum(values, 0))
    return result  # type: ignore[no-any-return]


def fixed_point(corners: F64 | F32) -> I32:
    """Positions in pixels as OpenCV's polygons take them."""
    fixed: I32 = np.round(corners * np.float32(1 << SUBPIXEL_BITS)).astype(np.int32)
    return fixed


def fill_polygon(shape: tuple[int, int], corners: F64 | F32) -> U8:
    """A mask (H, W) of 0 and 255 with the polygon `corners` (n, 2) in pixels filled, outline included."""
    return fill_fixed(shape, fixed_point(corners))


def fill_fixed(shape: tuple[int, int], corners: I32) -> U8:
    """`fill_polygon` for corners (n, 2) in fixed point."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [corners], (255,), cv2.LINE_8, SUBPIXEL_BITS)
    return mask


def cover_polygons(shape: tuple[int, int], polygons: F32, drawn: Sequence[bool]) -> F32:
    """How much of each pixel `polygons` (n, m, 2) cover, 0..1: pictures of `shape` (h, w) as one (n * h, w).

    Only those `drawn` (n,) cover anything. They are drawn larger and averaged: OpenCV always adds the
    outline, and at the pixel's own size even a polygon without any area would come out as a line.
    """
    height, width = shape
    larger = np.zeros((len(polygons), height * OVERSAMPLING, width * OVERSAMPLING), np.uint8)
    corners = fixed_point(polygons * np.float32(OVERSAMPLING) + np.float32((OVERSAMPLING - 1) / 2))
    for mask, outline, wanted in zip(larger, corners, drawn, strict=True):
        if wanted:
            cv2.fillPoly(mask, [outline], (255,), cv2.LINE_8, SUBPIXEL_BITS)
    flat = larger.reshape(-1, width * OVERSAMPLING)
    result: Any = cv2.resize(flat, (width, len(polygons) * height), interpolation=cv2.INTER_AREA)
    covered: F32 = result * np.float32(1 / 255)
    return covered
