"""Everything that depends on the photo alone, computed once per portrait."""

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from engines.base import Note, UnusablePortraitError
from engines.portrait.eyes.movement import EyeRig, build_eyes
from engines.portrait.face.detect import Detection
from engines.portrait.face.faces import FaceFinder, FoundFace, Photo
from engines.portrait.face.geometry import FaceFrame, Rect
from engines.portrait.face.glasses import brow_freedom
from engines.portrait.face.silhouette import Mask, find_silhouette, person_reach, surroundings
from engines.portrait.head.warp import HeadRig, build_head, sample_head
from engines.portrait.mouth.renderer import MouthRig, build_mouth
from engines.portrait.mouth.shape import require_mouth_seen
from engines.portrait.pixels import F32, F64, U8, resize_u8
from engines.portrait.video.colour import Planes, planes_from_ycc, ycc_from_bgr

MAX_PIXELS = 1080 * 1080
"""Pixels of the video: what encoding and memory cost goes by. A phone's 9:16 photo becomes 810 × 1440."""
WHOLE_SIDE_PX = 2400
"""Longer side, about, of a photo as it is read: more pixels than the video has."""
SEEN_SIDE_PX = 1200
"""Longer side of a photo up to which a face is looked for in all of its pixels; in a larger one, in half."""
MIN_IOD_PX = 16
"""Distance of the eyes in the video below which a mouth is too few pixels to move."""
MIN_SIDE_PX = 64
DECODING = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True)
class PortraitRig:
    """A portrait ready to be animated. Read-only; shared between threads."""

    planes: Planes
    frame: FaceFrame
    mouth: MouthRig
    eyes: list[EyeRig]
    head: HeadRig
    notes: tuple[Note, ...]


class PhotoFile:
    """A photo in a file, to be decoded at the sizes that are needed.

    One much larger than the video is decoded at a half, a quarter or an eighth of its size.

    Raises:
        UnusablePortraitError: it is no photo. OSError: it cannot be read now.
    """

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()  # what goes wrong here is the disk's, and says nothing of the photo
        self._data = np.frombuffer(content, np.uint8)
        try:
            with Image.open(BytesIO(content)) as header:
                self._sides = header.size
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise UnusablePortraitError("portrait_unreadable") from error
        self._reduction = self._reduced_to(WHOLE_SIDE_PX)

    def whole(self) -> U8:
        """Its blue-green-red bytes (H, W, 3)."""
        image = self._decoded(self._reduction)
        if min(image.shape[:2]) < MIN_SIDE_PX:
            raise UnusablePortraitError("portrait_too_small", limit=MIN_SIDE_PX)
        return image

    def to_look_at(self, whole: Callable[[], U8] | None = None) -> Photo:
        """What its face is looked for in; `whole` gives all of it where somebody decodes that already."""
        reduction = max(self._reduction, min(8, self._reduced_to(SEEN_SIDE_PX)))
        whole = whole or self.whole
        if reduction == self._reduction:
            return Photo.of(whole())
        if -(-min(self._sides) // self._reduction) < MIN_SIDE_PX:
            raise UnusablePortraitError("portrait_too_small", limit=MIN_SIDE_PX)
        return Photo(self._decoded(reduction), reduction // self._reduction, whole)

    def _reduced_to(self, side_px: int) -> int:
        return next((step for step in (1, 2, 4) if max(self._sides) / step <= side_px), 8)

    def _decoded(self, reduction: int) -> U8:
        try:
            image = cv2.imdecode(self._data, DECODING[reduction])
        except cv2.error:
            image = None
        if image is None:
            raise UnusablePortraitError("portrait_undecodable")
        return image.astype(np.uint8, copy=False)


def read_image(path: Path) -> U8:
    """The blue-green-red bytes (H, W, 3) of a photo; raises `UnusablePortraitError`."""
    return PhotoFile(path).whole()


def video_scale(width: int, height: int) -> float:
    """How much a photo of this size is shrunk for the video."""
    return min(1.0, math.sqrt(MAX_PIXELS / (height * width)))


def fit(image: U8) -> tuple[U8, F64]:
    """The image at the video's size: at most MAX_PIXELS, even sides, same aspect.

    Also by how much it was shrunk: factors (2,) for x and y.
    """
    height, width = image.shape[:2]
    scale = video_scale(width, height)
    halves = [max(1, int(side * scale / 2 + 1e-6)) for side in (width, height)]
    size = (halves[0] * 2, halves[1] * 2)
    if scale == 1.0:  # an odd last row or column is dropped rather than the whole picture resampled
        return np.ascontiguousarray(image[: height & ~1, : width & ~1]), np.ones(2)
    return resize_u8(image, size, smooth=True), np.array(size) / [width, height]


@dataclass(frozen=True)
class _Picture:
    """The photo at the video's size: bytes and float Y, Cb, Cr (H, W, 3), planes; and how it was shrunk."""

    image: U8
    ycc: F32
    planes: Planes
    factors: F64

    @staticmethod
    def of(photo: U8) -> "_Picture":
        image, factors = fit(photo)
        ycc = ycc_from_bgr(image)
        return _Picture(image, ycc, planes_from_ycc(ycc), factors)

    @property
    def size(self) -> tuple[int, int]:
        return self.planes.width, self.planes.height

    def located(self, points: F64) -> F64:
        """Points (n, 2 or 3) of the photo, which may be larger than the picture, in the picture's pixels."""
        moved: F64 = points * [*self.factors, self.factors[0]][: points.shape[1]]
        moved[:, :2] += (self.factors - 1) / 2  # pixel centres are on integers in both sizes
        return moved

    def around(self, face: Detection) -> Rect:
        """What surrounds a face detected in the photo."""
        return surroundings(self.located(face.eyes), face.size * float(self.factors[0]), self.size)


def look(
    photo: Photo, finder: FaceFinder, detected: Callable[[Detection], object] | None = None
) -> FoundFace:
    """The face of a photo: what is found unusable at intake and by a render, in one place.

    Raises `NoFaceError` or `UnusablePortraitError`.
    """
    found = finder.find_in(photo, detected)
    height, width = found.photo.seen.shape[:2]
    in_video = video_scale(width * found.photo.step, height * found.photo.step)
    if FaceFrame.from_landmarks(found.points).iod * in_video < MIN_IOD_PX:
        raise UnusablePortraitError("face_too_small")
    require_mouth_seen(found.points_seen, found.photo.seen)
    return found


def build_rig(path: Path, finder: FaceFinder) -> PortraitRig:
    """Prepare the portrait at `path`; raises `NoFaceError` or `UnusablePortraitError`.

    A thread aside decodes and lays out the picture while the face is looked for, and looks for the person
    while its mesh is located. It does no more: two threads would wait for the interpreter by turns.
    The networks have one thread: they are too small to gain from a second.
    """
    file = PhotoFile(path)
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(1, thread_name_prefix="portrait-rig") as aside:
        reading = aside.submit(file.whole)
        laying_out = aside.submit(lambda: _Picture.of(reading.result()))
        outlines: list[Future[Mask]] = []

        def outline(face: Detection) -> None:
            picture = laying_out.result()
            around = picture.around(face)
            outlines.append(aside.submit(finder.people.look, picture.image, around))

        found = look(file.to_look_at(reading.result), finder, outline)
        picture = laying_out.result()
        points = picture.located(found.points)
        frame = FaceFrame.from_landmarks(points)
        face = frame.to_face(points[:, :2])
        reach = person_reach(frame, face, picture.size)

        @cache
        def person() -> Mask:
            return find_silhouette(outlines[-1].result(), reach, frame, face)

        eyes = build_eyes(points, frame, picture.planes)
        brows = brow_freedom(face, frame, picture.ycc[..., 0])
        fields = sample_head(points, frame, reach, picture.size)
        mouth = build_mouth(points, frame, picture.ycc, picture.planes, person)
    drawn = [mouth.fields.rect, *(eye.rect for eye in eyes)]
    head = build_head(fields, person(), drawn, brows)
    return PortraitRig(picture.planes, frame, mouth, eyes, head, found.notes)
