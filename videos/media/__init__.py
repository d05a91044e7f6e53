"""Intake of uploaded media: proves files whole and brings them into the one form the engines use.

Plain Python: nothing here knows of Django, users or batches.
"""

from .audio import AudioLimits, PreparedAudio, prepare_audio
from .images import ImageLimits, PreparedImage, prepare_image
from .problems import MESSAGES, MediaProblem

__all__ = [
    "MESSAGES",
    "AudioLimits",
    "ImageLimits",
    "MediaProblem",
    "PreparedAudio",
    "PreparedImage",
    "prepare_audio",
    "prepare_image",
]
