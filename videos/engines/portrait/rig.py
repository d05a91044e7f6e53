"""Everything that depends on the photo alone, computed once per portrait."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from videos.engines.base import UnusablePortraitError
from videos.engines.portrait.colour import Planes, planes_from_ycc, ycc_from_bgr
from videos.engines.portrait.eyes import EyeRig, build_eyes
from videos.engines.portrait.faces import FaceFinder
from videos.engines.portrait.geometry import FaceFrame
from videos.engines.portrait.head import HeadRig, build_head
from videos.engines.portrait.mouth import MouthRig, build_mouth
from videos.engines.portrait.pixels import U8, resize_u8

MAX_SIDE_PX = 1080
MIN_SIDE_PX = 64


@dataclass(frozen=True)
class PortraitRig:
    """A portrait ready to be animated. Read-only; shared between threads."""

    planes: Planes
    frame: FaceFrame
    mouth: MouthRig
    eyes: list[EyeRig]
    head: HeadRig
    notes: tuple[str, ...]


def read_image(path: Path) -> U8:
    """Decode a photo to blue-green-red bytes (H, W, 3); raises `UnusablePortraitError`."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise UnusablePortraitError("The portrait cannot be read.") from error
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except cv2.error:
        image = None
    if image is None:
        raise UnusablePortraitError("The portrait is not an image this engine can decode.")
    if min(image.shape[:2]) < MIN_SIDE_PX:
        raise UnusablePortraitError(f"The portrait is smaller than {MIN_SIDE_PX} pixels.")
    return image.astype(np.uint8, copy=False)


def fit(image: U8) -> U8:
    """The image at the video's size: long side at most MAX_SIDE_PX, even sides, same aspect."""
    height, width = image.shape[:2]
    scale = min(1.0, MAX_SIDE_PX / max(height, width))
    size = (max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2))
    if scale == 1.0:  # an odd last row or column is dropped rather than the whole picture resampled
        return np.ascontiguousarray(image[: height & ~1, : width & ~1])
    return resize_u8(image, size, smooth=True)


def build_rig(path: Path, finder: FaceFinder) -> PortraitRig:
    """Prepare the portrait at `path`; raises `NoFaceError` or `UnusablePortraitError`."""
    image = fit(read_image(path))
    found = finder.find(image)
    frame = FaceFrame.from_landmarks(found.points)
    ycc = ycc_from_bgr(image)
    planes = planes_from_ycc(ycc)
    return PortraitRig(
        planes=planes,
        frame=frame,
        mouth=build_mouth(found.points, frame, ycc, planes),
        eyes=build_eyes(found.points, frame, planes),
        head=build_head(found.points, frame, planes.width, planes.height),
        notes=found.notes,
    )
