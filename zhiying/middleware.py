"""Middleware of the project."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from zhiying.kernel.body_limits import apply_limit
from zhiying.kernel.client_address import client_ip
from zhiying.kernel.errors import DomainError
from zhiying.kernel.origin import acting_from, request_origin
from zhiying.kernel.responses import error_response

Handler = Callable[[HttpRequest], HttpResponse]


class BodyLimitMiddleware:
    """Refuses bodies that their call does not take, before a byte of them is read or written to disk.

    It stands before whatever reads forms, the check against forged requests included.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        try:
            apply_limit(request, view)
        except DomainError as error:
            return error_response(error.status, error.code, error.detail)
        return None


class OriginMiddleware:
    """Tells services which request they act for; the audit log keeps it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = str(request.META.get("HTTP_X_REQUEST_ID", ""))
        with acting_from(request_origin(request_id=request_id, client_address=client_ip(request))):
            return self.get_response(request)
