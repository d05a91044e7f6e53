"""Planar YCbCr 4:2:0 with the BT.709 matrix and limited range, the form the encoder eats.

All rendering happens in these planes: luma at full size, the two chroma planes at half size in both
directions, 8 bits each. Converting once per image instead of once per frame, and carrying 1.5 instead
of 3 bytes a pixel, is most of what makes a CPU fast enough.

Source of the matrix and ranges: ITU-R BT.709-6, section 3.
"""

from dataclasses import dataclass

import numpy as np

from engines.portrait.pixels import F32, U8, halve, resize, to_bytes, transform

KR, KB = 0.2126, 0.0722
KG = 1 - KR - KB
BLACK = 16
"""Luma of black."""
NEUTRAL = 128
"""Chroma of grey."""
LUMA_RANGE = 219
CHROMA_RANGE = 224
_LUMA = np.array([KB, KG, KR])
_YCC_OF_BGR = np.array(
    [
        [*(_LUMA * LUMA_RANGE / 255), BLACK],
        [*((np.array([1, 0, 0]) - _LUMA) * CHROMA_RANGE / 255 / (2 * (1 - KB))), NEUTRAL],
        [*((np.array([0, 0, 1]) - _LUMA) * CHROMA_RANGE / 255 / (2 * (1 - KR))), NEUTRAL],
    ]
)
"""Rows give Y, Cb and Cr of blue, green, red and 1."""


@dataclass(frozen=True)
class Planes:
    """One picture: luma (H, W) and chroma (H/2, W/2) twice, 8 bits. H and W are even."""

    y: U8
    u: U8
    v: U8

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    def copy(self) -> "Planes":
        return Planes(self.y.copy(), self.u.copy(), self.v.copy())


def ycc_from_bgr(bgr: U8) -> F32:
    """Blue-green-red bytes (H, W, 3) to float Y, Cb, Cr (H, W, 3) in limited-range code values."""
    return transform(bgr.astype(np.float32), _YCC_OF_BGR)


def planes_from_ycc(ycc: F32) -> Planes:
    """Round float Y, Cb, Cr (H, W, 3) to planes; chroma is averaged over 2 × 2 pixels."""
    halved = halve(ycc)
    return Planes(to_bytes(ycc[..., 0]), to_bytes(halved[..., 1]), to_bytes(halved[..., 2]))


def bgr_from_planes(planes: Planes) -> U8:
    """Planes back to blue-green-red bytes (H, W, 3)."""
    size = (planes.width, planes.height)
    luma = (planes.y.astype(np.float32) - BLACK) * np.float32(255 / LUMA_RANGE)
    scale = np.float32(255 / CHROMA_RANGE)
    blue_diff = (resize(planes.u.astype(np.float32), size) - NEUTRAL) * scale
    red_diff = (resize(planes.v.astype(np.float32), size) - NEUTRAL) * scale
    blue = luma + blue_diff * np.float32(2 * (1 - KB))
    red = luma + red_diff * np.float32(2 * (1 - KR))
    green = (luma - KR * red - KB * blue) / np.float32(KG)
    pixels: F32 = np.stack([blue, green, red], axis=-1)
    rounded: U8 = np.clip(pixels + 0.5, 0, 255).astype(np.uint8)
    return rounded
