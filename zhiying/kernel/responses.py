"""The one shape of every error body."""

from collections.abc import Mapping
from typing import Any

from django.http import JsonResponse


def error_body(code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """`detail` is for people, `code` for programs."""
    return {"detail": str(detail), "code": code, **extra}


def error_response(
    status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **extra: Any
) -> JsonResponse:
    """An error answer outside of REST framework views."""
    return JsonResponse(error_body(code, detail, **extra), status=status, headers=dict(headers or {}))
