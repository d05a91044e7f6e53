"""Whether a photo could be used, without rendering it: by the portrait engine, and by engines of others."""

from functools import cache
from pathlib import Path

import cv2

from engines.base import NoFaceError, Note
from engines.portrait.face.detect import Detection
from engines.portrait.face.faces import FaceFinder, FaceNeeds
from engines.portrait.memory import share_one_heap
from engines.portrait.mouth.shape import require_mouth_seen
from engines.portrait.rig import PhotoFile, look

ANY_NEEDS = FaceNeeds(
    min_px=48, min_share=32 / 832, max_turn_deg=50.0, mouth_room=((0.0, 0.0),), max_gape=None
)
"""What any engine needs that animates a face, as far as all of them are known to.

Size: such engines work at 480p and more, where a picture is 832 pixels long, and see it in blocks of 16
(Wan 2.1: 8 by its encoder, times 2 by its transformer); a face of less than two blocks has no lips to them.
SadTalker, LivePortrait and MuseTalk enlarge the face to 256 pixels; 48 are a fifth of that.
Turn: DashScope's detectors refuse faces seen from the side, too small or covered, and Wan-S2V's such as do
not face the camera. 50° of the mesh's are about 60° of a head's, where it begins to hide one eye.
They draw a mouth of their own: it may be open as far as it likes, and needs no room beside it.
"""


@cache
def _finder() -> FaceFinder:
    """The process's own, for all checks."""
    share_one_heap()  # else each large photo's pages are fetched anew: a fifth of the time of one of 2048 px
    cv2.setNumThreads(1)  # the networks are too small to gain from a second
    return FaceFinder()


class PortraitCheck:
    """Implements `engines.base.PortraitCheck` for the portrait engine. Used from one thread."""

    def __init__(self) -> None:
        self._finder = _finder()

    def check(self, portrait: Path) -> tuple[Note, ...]:
        return look(PhotoFile(portrait).to_look_at(), self._finder).notes


class AnyFaceCheck:
    """The same for any engine that needs a face and has no check of its own: it refuses less.

    A face that the detector sees and the mesh does not, such as a drawn one, is left to the engine.
    """

    def __init__(self) -> None:
        self._finder = _finder()

    def check(self, portrait: Path) -> tuple[Note, ...]:
        tried: list[Detection] = []
        try:
            found = self._finder.find_in(PhotoFile(portrait).to_look_at(), tried.append, ANY_NEEDS)
        except NoFaceError:
            if tried:
                return ()
            raise
        require_mouth_seen(found.points_seen, found.photo.seen)
        return found.notes
