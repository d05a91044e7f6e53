"""Whether the portrait engine could use a photo, without rendering it."""

from pathlib import Path

import cv2

from engines.base import Note
from engines.portrait.face.faces import FaceFinder
from engines.portrait.rig import PhotoFile, look


class PortraitCheck:
    """Implements `engines.base.PortraitCheck`. One per process, used from one thread."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)  # the networks are too small to gain from a second
        self._finder = FaceFinder()

    def check(self, portrait: Path) -> tuple[Note, ...]:
        return look(PhotoFile(portrait).to_look_at(), self._finder).notes
