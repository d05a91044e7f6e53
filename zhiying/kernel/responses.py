"""The one shape of every error body."""

from collections.abc import Mapping
from typing import Any

from django.http import JsonResponse
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


def disposition(name: str) -> str:
    """The header that saves an answer under `name`, whatever a client or user wrote into it."""
    shown = "".join(character for character in name if character.isprintable())[:MAX_FILE_NAME]
    return content_disposition_header(True, shown) or "attachment"
