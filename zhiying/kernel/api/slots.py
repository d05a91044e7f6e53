"""Requests that take long leave threads to those that do not.

A request that brings files, has them decoded or fetches an archive holds its thread for as long as the
client's line or the decoding takes. Such requests get half of a process's threads, and never every place that
requests have (`zhiying/admission.py`); the next is told at once to come again.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.views import APIView

from zhiying.kernel.responses import error_response, when_sent

P = ParamSpec("P")

RETRY_AFTER_S = 5
SMALL_BODY_BYTES = 64 * 1024
"""What arrives with the head of a request, as a rule."""

KEPT_THREADS = 2
"""Of each process, for probes and for refusing."""
LEAST_THREADS = 4
"""With fewer there is no place that slow requests leave to the others."""


def places(threads: int) -> int:
    """Requests that may be under way at once in a process of so many threads."""
    return max(1, threads - KEPT_THREADS)


def slow_places(threads: int) -> int:
    """Those of them that slow requests may have."""
    return max(1, min(threads // 2, places(threads) - 1))


_slots = threading.BoundedSemaphore(slow_places(settings.WEB_THREADS))


@contextmanager
def slow_request_slot() -> Iterator[bool]:
    """Whether there is room for another slow request; the place is kept while the context lasts."""
    taken = _slots.acquire(blocking=False)
    try:
        yield taken
    finally:
        if taken:
            _slots.release()


def slow_answers(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """For a view whose answer is sent while it is made: it keeps its place until the last byte."""

    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        slots = _slots
        if not slots.acquire(blocking=False):
            return too_many_slow_requests(request)
        try:
            response = view(request, *args, **kwargs)
        except BaseException:
            slots.release()
            raise
        when_sent(response, slots.release)
        return response

    return answer


def too_many_slow_requests(request: HttpRequest) -> HttpResponseBase:
    """What a slow request without a place is answered."""
    read_no_more(request)
    return error_response(
        503,
        "busy",
        _("The server is busy with other uploads and downloads. Please try again in a moment."),
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
