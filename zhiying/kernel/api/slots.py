"""Requests that take long leave at least half of the threads to those that do not.

A request that brings files or has them decoded holds its thread for as long as the client's line or the
decoding takes. Only so many of them are let in; the next is told at once to come again.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.views import APIView

from zhiying.kernel.responses import error_response

RETRY_AFTER_S = 5
SMALL_BODY_BYTES = 64 * 1024
"""What arrives with the head of a request, as a rule."""

_slots = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


@contextmanager
def slow_request_slot() -> Iterator[bool]:
    """Whether there is room for another slow request; the place is kept while the context lasts."""
    taken = _slots.acquire(blocking=False)
    try:
        yield taken
    finally:
        if taken:
            _slots.release()


def too_many_slow_requests(request: HttpRequest) -> HttpResponseBase:
    """What a slow request without a place is answered."""
    read_no_more(request)
    return error_response(
        503,
        "busy",
        _("The server is busy with other uploads. Please try again in a moment."),
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def read_no_more(request: HttpRequest) -> None:
    """Let gunicorn close the connection instead of waiting in this thread for a body that nobody wants."""
    connection: socket.socket | None = request.META.get("gunicorn.socket")
    length = request.headers.get("Content-Length", "")
    if not length and "Transfer-Encoding" not in request.headers:
        return  # there is none
    if connection is None or (length.isdecimal() and int(length[:10]) <= SMALL_BODY_BYTES):
        return
    with suppress(OSError):  # the client has gone
        connection.shutdown(socket.SHUT_RD)


if TYPE_CHECKING:
    _View = APIView
else:
    _View = object


class SlowRequests(_View):
    """A view whose POST brings files or decodes them."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let the request in if there is room."""
        with slow_request_slot() as taken:
            return super().dispatch(request, *args, **kwargs) if taken else too_many_slow_requests(request)
