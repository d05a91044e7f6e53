"""Cheap polling: an answer has a tag, and whoever has it already gets 304."""

from collections.abc import Callable

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request


def conditional_response(request: Request, tag: str, make: Callable[[], bytes]) -> HttpResponseBase:
    """The JSON that `make` gives, or 304 when `If-None-Match` names its tag; then nothing is made."""
    etag = f'W/"{tag}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    unchanged = get_conditional_response(request._request, etag=etag)
    if unchanged is None:
        return HttpResponse(make(), content_type="application/json", headers=headers)
    for name, value in headers.items():
        unchanged[name] = value
    return unchanged
