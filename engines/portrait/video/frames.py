"""Rendering single frames: mouth, then eyes, in the photo's own coordinates, then the head's warp."""

from collections.abc import Iterator

import numpy as np

from engines.portrait.eyes.movement import EyeRenderer
from engines.portrait.face.geometry import Rect
from engines.portrait.head.renderer import HeadRenderer
from engines.portrait.mouth.pose import action_weights, inside_of
from engines.portrait.mouth.renderer import MouthRenderer, PreparedPose
from engines.portrait.performance.motion import Motion
from engines.portrait.pixels import U8
from engines.portrait.rig import PortraitRig
from engines.portrait.video.colour import Planes
from engines.portrait.video.label import Label

BATCH = 16
"""Frames whose mouths are prepared together."""


class FrameRenderer:
    """Renders frames of one portrait into its own buffer. One per thread.

    `buffer` (H * 3/2, W) holds the last frame as I420: luma, then both chroma planes; `unwarped` holds it
    before the head moved and without the label.
    """

    def __init__(self, rig: PortraitRig, label: Label | None) -> None:
        self._rig, self._label = rig, label
        self._mouth = MouthRenderer(rig.mouth)
        self._eyes = [EyeRenderer(eye) for eye in rig.eyes]
        self.unwarped = rig.planes.copy()
        width, height = rig.planes.width, rig.planes.height
        self.buffer = np.empty((height * 3 // 2, width), np.uint8)
        self._target = planes_of(self.buffer)
        for plane in ("y", "u", "v"):
            getattr(self._target, plane)[:] = getattr(rig.planes, plane)
        if label is not None:
            label.apply(self._target, Rect(0, 0, width, height))
        self._head = HeadRenderer(rig.head, self.unwarped, self._target)

    def reset(self) -> None:
        """Make the next frame independent of what was drawn before."""
        self._mouth.reset()
        self._head.reset()
        for eye in self._eyes:
            eye.reset()

    def draw(self, motion: Motion, index: int) -> U8:
        """Draw frame `index` and return `buffer`."""
        return next(self.frames(motion, range(index, index + 1)))

    def frames(self, motion: Motion, indices: range) -> Iterator[U8]:
        """Draw one frame after the other; each is in `buffer` until the next one is asked for."""
        for start in range(indices.start, indices.stop, BATCH):
            batch = range(start, min(start + BATCH, indices.stop))
            for index, mouth in zip(batch, self._mouths(motion, batch), strict=True):
                self._draw(motion, index, mouth)
                yield self.buffer

    def _mouths(self, motion: Motion, batch: range) -> list[PreparedPose]:
        shape = self._rig.mouth.shape
        poses = [motion.pose(index) for index in batch]
        weights = np.array([action_weights(pose, shape) for pose in poses])
        return self._mouth.prepare(weights, [inside_of(pose, shape) for pose in poses])

    def _draw(self, motion: Motion, index: int, mouth: PreparedPose) -> None:
        changed = []
        if self._mouth.draw(mouth, self.unwarped):
            changed.append(self._rig.mouth.fields.rect)
        gaze = float(motion.gaze[index, 0]), float(motion.gaze[index, 1])
        for eye, rig in zip(self._eyes, self._rig.eyes, strict=True):
            if any(part.overlaps(rig.rect) for part in changed):
                eye.reset()  # a tilted mouth's box reaches over an eye, which then has to be drawn again
            if eye.draw(float(motion.lid[index]), gaze, self.unwarped):
                changed.append(rig.rect)
        drawn = self._head.draw(motion.head[index], changed)
        if self._label is not None:
            for part in drawn:  # elsewhere it stands once drawn
                self._label.apply(self._target, part)


def planes_of(buffer: U8) -> Planes:
    """Views of the planes in an I420 `buffer` (H * 3/2, W)."""
    height, width = buffer.shape[0] * 2 // 3, buffer.shape[1]
    flat = buffer.reshape(-1)
    luma = height * width
    quarter = luma // 4
    half = (height // 2, width // 2)
    return Planes(
        buffer[:height],
        flat[luma : luma + quarter].reshape(half),
        flat[luma + quarter : luma + 2 * quarter].reshape(half),
    )
