"""What can be wrong with an uploaded file, each with a stable code and a sentence that says what to do."""

from collections.abc import Mapping

Param = str | int | float


def gettext_noop(sentence: str) -> str:
    """Marks a sentence for translation, as Django's function of this name does."""
    return sentence


IMAGE_MESSAGES: dict[str, str] = {
    "image_empty": gettext_noop("The image file is empty. Choose it again."),
    "image_too_large": gettext_noop(
        "The image is larger than %(limit_mb)s MB. Save a smaller copy and use that."
    ),
    "image_type": gettext_noop("This is %(found)s. Save the portrait as JPEG, PNG or WebP."),
    "image_unreadable": gettext_noop(
        "The image cannot be decoded. Open it in an image editor and save it again."
    ),
    "image_truncated": gettext_noop("The image file ends too early: part of it is missing. Upload it again."),
    "image_too_many_pixels": gettext_noop(
        "The image has %(width)s × %(height)s pixels, more than %(limit_mpx)s megapixels. Scale it down."
    ),
    "image_too_small": gettext_noop(
        "The image has %(width)s × %(height)s pixels. Each side must have at least %(limit_px)s pixels."
    ),
    "image_too_narrow": gettext_noop(
        "The image has %(width)s × %(height)s pixels. Crop it so that "
        "its long side is at most %(limit_ratio)s times its short side."
    ),
    "image_sides_engine": gettext_noop(
        "The image has %(width)s × %(height)s pixels. "
        "The engine takes at most %(limit_px)s pixels a side. Scale it down."
    ),
    "image_aspect_engine": gettext_noop(
        "The image has %(width)s × %(height)s pixels. The engine takes images whose width is %(min_ratio)s "
        "to %(max_ratio)s times their height. Crop it."
    ),
    "image_bytes_engine": gettext_noop(
        "The image is larger than the %(limit_mb)s MB that the engine takes. "
        "Save a smaller copy and use that."
    ),
    "image_animated": gettext_noop(
        "The image is an animation. Save the one picture to use as a still image."
    ),
    "image_too_complex": gettext_noop(
        "Decoding the image takes too much time or memory. Save it again as a plain JPEG."
    ),
}

AUDIO_MESSAGES: dict[str, str] = {
    "audio_empty": gettext_noop("The audio file is empty. Choose it again."),
    "audio_too_large": gettext_noop(
        "The audio file is larger than %(limit_mb)s MB. Save it as MP3 and use that."
    ),
    "audio_type": gettext_noop("This is %(found)s. Save the speech as MP3 or WAV."),
    "audio_codec": gettext_noop("The WAV file is encoded as %(found)s. Save it as plain PCM or as MP3."),
    "audio_unreadable": gettext_noop(
        "The audio cannot be decoded. Open it in an audio editor and save it again."
    ),
    "audio_no_stream": gettext_noop("The file holds no sound. Choose one with speech."),
    "audio_truncated": gettext_noop(
        "The recording ends after %(present_percent)s %% of the length it declares. Upload it again."
    ),
    "audio_damaged": gettext_noop(
        "%(damaged_percent)s %% of the recording is damaged. Save it again from the original."
    ),
    "audio_sample_rate": gettext_noop(
        "The sample rate is %(rate_hz)s Hz. Save the audio with %(min_hz)s to %(max_hz)s Hz."
    ),
    "audio_channels": gettext_noop("The audio has %(channels)s channels. Save it with at most %(limit)s."),
    "audio_too_short": gettext_noop("The audio lasts %(duration_s)s s. It must last at least %(limit_s)s s."),
    "audio_too_long": gettext_noop("The audio lasts longer than %(limit_s)s s. Shorten it or split it."),
    "audio_silent": gettext_noop(
        "The audio is silent: nothing in it is louder than %(limit_dbfs)s dBFS. Record it again."
    ),
}

UPLOAD_MESSAGES: dict[str, str] = {
    "upload_type": gettext_noop("Only JPEG, PNG and WebP images and MP3 and WAV recordings can be uploaded."),
    "upload_unknown": gettext_noop(
        "There is no such upload. Uploads are kept for a day; send the file again."
    ),
    "upload_unfinished": gettext_noop("The upload has not arrived whole. Send what is missing."),
    "upload_changed": gettext_noop("The upload was changed after it had been checked. Send the file again."),
    "upload_used": gettext_noop("The upload has been used already. Send the file again."),
    "stored_gone": gettext_noop("This file of an earlier batch is not stored any more. Choose another one."),
}

MESSAGES: dict[str, str] = IMAGE_MESSAGES | AUDIO_MESSAGES | UPLOAD_MESSAGES
"""Code → English template with named parameters, made for gettext and `%` formatting."""


class MediaProblem(Exception):  # noqa: N818 - a fact about a file, named in the services as one
    """A file that cannot be used, for a reason its owner can act on.

    `code` is a key of `MESSAGES`, `params` holds the values of its template (JSON-ready), and `detail` is
    the filled English sentence; `videos.catalogue` tells it in the reader's language.
    """

    def __init__(self, code: str, params: Mapping[str, Param] | None = None) -> None:
        self.code = code
        # 300.0 s reads as 300 s.
        self.params: dict[str, Param] = {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in (params or {}).items()
        }
        self.detail = MESSAGES[code] % self.params if self.params else MESSAGES[code].replace("%%", "%")
        super().__init__(self.detail)

    def __reduce__(self) -> tuple[type["MediaProblem"], tuple[str, dict[str, Param]]]:
        # The default would pickle the sentence as the code.
        return type(self), (self.code, self.params)
