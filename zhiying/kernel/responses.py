"""The one shape of every error body, and the end of an answer."""

import weakref
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponseBase, JsonResponse
from django.utils.http import content_disposition_header

MAX_FILE_NAME = 200


def error_body(code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """`detail` is for people, `code` for programs."""
    return {"detail": str(detail), "code": code, **extra}


def error_response(
    status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **extra: Any
) -> JsonResponse:
    """An error answer outside of REST framework views."""
    return JsonResponse(error_body(code, detail, **extra), status=status, headers=dict(headers or {}))


def when_sent(response: HttpResponseBase, call: Callable[..., object], *args: object) -> None:
    """Call once, when the last byte of an answer was sent or its client has gone: then servers close it.

    An answer that no server closes, because something put another in its stead, ends when it is forgotten.
    """
    end = weakref.finalize(response, call, *args)  # calls once, however often it is called
    response._resource_closers.append(end)  # type: ignore[attr-defined]  # Django has no other way


def disposition(name: str) -> str:
    """The header that saves an answer under `name`, whatever a client or user wrote into it."""
    shown = "".join(character for character in name if character.isprintable())[:MAX_FILE_NAME]
    return content_disposition_header(True, shown) or "attachment"
