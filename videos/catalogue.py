"""Every code that tells of a file, a render or a video, and its sentence in the reader's language.

Items keep codes and values; sentences are made when somebody reads them. The English templates stand where
the codes arise: `engines.sentences`, `videos.media.problems`, and here for the worker's own.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_noop

from engines.sentences import FAILURES as ENGINE_FAILURES
from engines.sentences import NOTES, Param, filled
from videos.media.problems import MESSAGES as MEDIA_PROBLEMS

WORKER_FAILURES: Mapping[str, str] = {
    "render_crashed": gettext_noop("The render process ended unexpectedly (exit %(code)s)."),
    "render_timeout": gettext_noop("Rendering took too long and was stopped."),
    "render_out_of_memory": gettext_noop("Rendering needed too much memory and was stopped."),
    "source_missing": gettext_noop("The portrait or the recording is not stored any more."),
    "worker_lost": gettext_noop("The worker stopped while it rendered this video."),
    "credential_unreadable": gettext_noop(
        "The engine's credential cannot be read any more (SECRET_KEY changed); "
        "an administrator must set it again."
    ),
    "internal_error": gettext_noop("The server failed to make this video."),
}
FAILURES: Mapping[str, str] = {**ENGINE_FAILURES, **WORKER_FAILURES}
"""Code → why an item failed, as an English template."""

NOTICES: Mapping[str, str] = {
    "prompt_not_honoured": gettext_noop(
        "The engine %(engine)s follows no prompt: the videos are made without it."
    ),
}
"""Code → what a person should know before a batch is made, as an English template."""

IN_WORDS = frozenset({"found"})
"""Values that are themselves words to translate."""

Params = Mapping[str, Param]


def failure(code: str, params: Params, plain: str) -> str:
    """Why an item failed, or an engine cannot work; `plain` is told of codes that are not ours."""
    return _sentence(FAILURES.get(code), params, plain)


def failure_in_english(code: str, params: Params, plain: str = "") -> str:
    """The sentence that is kept with an item, for whoever reads the table, and for codes not ours."""
    return _filled(FAILURES[code], params, plain or code) if code in FAILURES else plain or code


def note(kept: Mapping[str, Any]) -> str:
    """A remark about a video, from what its item keeps: {"code", "params"}."""
    params = kept.get("params") or {}
    return _sentence(NOTES.get(str(kept.get("code"))), params, str(params.get("text", "")))


def notice(code: str, params: Params) -> str:
    """What a person should know of a batch that is made all the same."""
    return _sentence(NOTICES[code], params, code)


def media_problem(code: str, params: Params) -> str:
    """What is wrong with an uploaded file."""
    return _sentence(MEDIA_PROBLEMS[code], params, code)


def _sentence(template: str | None, params: Params, plain: str) -> str:
    if template is None:
        return plain
    words = {name: gettext(str(value)) if name in IN_WORDS else value for name, value in params.items()}
    return _filled(gettext(template), words, plain)


def _filled(template: str, params: Params, plain: str) -> str:
    """An engine beside ours may use a code of ours with other values: then its own sentence is told."""
    try:
        return filled(template, params)
    except (KeyError, TypeError, ValueError):
        return plain
