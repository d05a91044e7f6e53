"""Files of earlier batches that a new one uses again: proven and normalised then, so only copied now."""

from dataclasses import dataclass

from django.conf import settings

from videos.media.problems import MediaProblem
from videos.store.files import StoredKey


@dataclass(frozen=True)
class StoredPortrait:
    """A portrait as an earlier batch keeps it, with the upright size (px) of the image it was made from."""

    portrait: StoredKey
    thumbnail: StoredKey
    width: int
    height: int


@dataclass(frozen=True)
class StoredRecording:
    """A recording as an earlier batch keeps it."""

    audio: StoredKey
    duration_s: float


def require_portrait_limits(portrait: StoredPortrait) -> None:
    """Limits may have become narrower since.

    Raises:
        MediaProblem: it is too small by now.
    """
    limit_px = settings.IMAGE_MIN_SIDE_PX
    if min(portrait.width, portrait.height) < limit_px:
        size = {"width": portrait.width, "height": portrait.height}
        raise MediaProblem("image_too_small", {**size, "limit_px": limit_px})


def require_recording_limits(recording: StoredRecording) -> None:
    """As `require_portrait_limits`, for how long it lasts."""
    seconds = round(recording.duration_s, 2)
    if seconds < settings.AUDIO_MIN_S:
        raise MediaProblem("audio_too_short", {"duration_s": seconds, "limit_s": settings.AUDIO_MIN_S})
    if seconds > settings.AUDIO_MAX_S:
        raise MediaProblem("audio_too_long", {"limit_s": float(settings.AUDIO_MAX_S)})
