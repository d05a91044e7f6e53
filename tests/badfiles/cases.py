"""The table: every odd file and the answer it must get."""

from .case import AudioAnswer, Case, ImageAnswer
from .image_cases import IMAGE_CASES
from .sound_cases import SOUND_CASES

__all__ = ["CASES", "AudioAnswer", "Case", "ImageAnswer"]

CASES: tuple[Case, ...] = IMAGE_CASES + SOUND_CASES
