"""`python -m workshop.sheet PORTRAIT… -o SHEET.jpg`: the engine's range at a glance.

For every portrait one block of pictures: the photo, mouth shapes, lids and gaze, head turns, and what
prompts do to it. Meant to be looked at whenever anything about the look changes.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engines.base import EngineError
from engines.portrait.face.faces import FaceFinder
from engines.portrait.face.geometry import Rect
from engines.portrait.head.warp import HEAD_ACTIONS
from engines.portrait.mouth.pose import MouthPose
from engines.portrait.performance.motion import Motion, choreograph
from engines.portrait.performance.prompt import understand
from engines.portrait.pixels import U8
from engines.portrait.rig import PortraitRig, build_rig
from engines.portrait.speech.track import SHAPE_NAMES, VisemeTrack
from engines.portrait.video.colour import bgr_from_planes
from engines.portrait.video.frames import FrameRenderer, planes_of

TILE_PX = 200
JPEG_QUALITY = 82
COLUMNS = 8
CAPTION_PX = 15
PROMPT_MOMENT = 33
"""Frame of a silent performance at which a prompt's effect is shown: in the middle of a nod."""

MOUTHS: dict[str, MouthPose] = {
    "photo": MouthPose(engage=0),
    "closed": MouthPose(),
    "jaw .6": MouthPose(jaw=0.6, upper_lip=0.1),
    "a": MouthPose(jaw=1.0, width=0.05, upper_lip=0.1),
    "e": MouthPose(jaw=0.6, width=0.45, upper_lip=0.2),
    "i": MouthPose(jaw=0.3, width=0.85, upper_lip=0.2),
    "o": MouthPose(jaw=0.6, width=-0.6, pucker=0.7),
    "u": MouthPose(jaw=0.25, width=-0.9, pucker=1.0),
    "b p m": MouthPose(jaw=0.2, closure=1.0),
    "f v": MouthPose(jaw=0.15, width=0.1, upper_lip=0.3, tuck=1.0),
    "sh": MouthPose(jaw=0.2, width=-0.4, pucker=0.6, upper_lip=0.3),
    "s": MouthPose(jaw=0.16, width=0.4, upper_lip=0.3),
    "l": MouthPose(jaw=0.5, width=0.1, upper_lip=0.1, tongue=1.0),
    "th": MouthPose(jaw=0.35, width=0.15, upper_lip=0.1, tongue=1.0, tongue_out=1.0),
}
LIDS = {"lid ¼": 0.25, "lid ½": 0.5, "lid ¾": 0.75, "shut": 1.0, "wide": -1.0}
GAZES = {"gaze left": (-1.0, 0.0), "gaze right": (1.0, 0.0), "gaze down": (0.0, 1.0)}
TURNS = {
    "yaw −": {"yaw": -0.08},
    "yaw +": {"yaw": 0.08},
    "pitch −": {"pitch": -0.08},
    "pitch +": {"pitch": 0.08},
    "roll": {"roll": 0.05},
    "brows up": {"brow_raise": 0.075},
    "brows knit": {"brow_knit": 0.055},
}
PROMPTS = ("微笑", "非常开心，大笑", "严肃", "生气", "难过", "惊讶", "激动", "平静", "点头", "摇头", "歪头")


def single(pose: MouthPose, lid: float, gaze: tuple[float, float], turn: dict[str, float]) -> Motion:
    """A motion of one frame."""
    head = [turn.get(name, 0.0) for name in HEAD_ACTIONS]
    return Motion(
        np.array([pose], np.float32),
        np.array([lid], np.float32),
        np.array([gaze], np.float32),
        np.array([head], np.float32),
    )


def silent_track(frames: int, fps: int = 25) -> VisemeTrack:
    """A track in which nobody speaks."""
    return VisemeTrack(
        fps=fps,
        shapes=np.zeros((frames, len(SHAPE_NAMES)), np.float32),
        energy=np.zeros(frames, np.float32),
        stress=np.zeros(frames, np.float32),
        silence=np.ones(frames, bool),
        language="und",
        duration_s=frames / fps,
    )


def poses() -> list[tuple[str, Motion, int]]:
    """Captions, motions and the frame of each to show."""
    rest = MouthPose(engage=0)
    items = [(name, single(pose, 0, (0, 0), {}), 0) for name, pose in MOUTHS.items()]
    items += [(name, single(rest, lid, (0, 0), {}), 0) for name, lid in LIDS.items()]
    items += [(name, single(rest, 0, gaze, {}), 0) for name, gaze in GAZES.items()]
    items += [(name, single(rest, 0, (0, 0), turn), 0) for name, turn in TURNS.items()]
    track = silent_track(75)
    for prompt in PROMPTS:
        items.append((prompt, choreograph(track, understand(prompt).performance, seed=3), PROMPT_MOMENT))
    return items


def block(rig: PortraitRig) -> U8:
    """All poses of one portrait, cropped to the head, in rows of COLUMNS tiles."""
    renderer = FrameRenderer(rig, None)
    whole = Rect(0, 0, rig.planes.width, rig.planes.height)
    crop = rig.frame.box(-1.5, -1.5, 1.5, 2.4).clipped(whole)
    tiles = []
    for name, motion, index in poses():
        picture = bgr_from_planes(planes_of(renderer.draw(motion, index)))[crop.luma]
        tiles.append(_tile(picture, name))
    while len(tiles) % COLUMNS:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    sheet: U8 = np.vstack(rows)
    return sheet


def _tile(picture: U8, caption: str) -> U8:
    height = round(TILE_PX * picture.shape[0] / picture.shape[1])
    shrink = picture.shape[1] > TILE_PX
    method = cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
    tile: Any = cv2.resize(picture, (TILE_PX, height), interpolation=method)
    font: Any = cv2.FontFace("uni")
    for offset, colour in ((1, (0, 0, 0)), (0, (90, 255, 255))):
        cv2.putText(tile, caption, (5 + offset, CAPTION_PX + 2 + offset), colour, font, CAPTION_PX)
    return np.asarray(tile, np.uint8)


def main(arguments: list[str] | None = None) -> int:
    """Write the sheet; 0 when every portrait could be drawn."""
    parser = argparse.ArgumentParser(prog="python -m workshop.sheet", description=__doc__)
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("sheet.jpg"))
    options = parser.parse_args(arguments)
    finder, blocks, failed = FaceFinder(), [], 0
    for path in options.portraits:
        try:
            blocks.append(block(build_rig(path, finder)))
        except EngineError as error:
            sys.stderr.write(f"{path}: {error.code}: {error.detail}\n")
            failed += 1
    if blocks:
        cv2.imwrite(str(options.output), np.vstack(blocks), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
