"""Middleware of the project."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from zhiying.kernel import log_lines, tracing
from zhiying.kernel.body_limits import apply_limit
from zhiying.kernel.client_address import client_ip
from zhiying.kernel.errors import DomainError
from zhiying.kernel.origin import acting_from, request_origin
from zhiying.kernel.responses import error_response
from zhiying.request_metrics import known_method, route_of

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


class PolicyMiddleware(CSPMiddleware):
    """Content-Security-Policy: one policy for every answer, so it is put into words once.

    An answer that changes its own policy, by one of django-csp's decorators, goes the package's way.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self._policy = build_policy()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if (
            settings.DEBUG
            or hasattr(request, "_csp_nonce")
            or any(name.startswith("_csp_") for name in vars(response))
        ):
            changed: HttpResponseBase = super().process_response(request, response)
            return changed
        response.headers.setdefault("Content-Security-Policy", self._policy)
        return response


class OriginMiddleware:
    """Gives each request an id, or takes the one that a proxy gave it, and tells it to whoever asks.

    Services know it as their origin (the audit log keeps it), log lines carry it, and the answer names it,
    so that a person can quote it.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = str(request.META.get("HTTP_X_REQUEST_ID", ""))
        origin = request_origin(request_id=given, client_address=client_ip(request))
        log_lines.begin(request=origin.request_id)
        named = {"zhiying__request": origin.request_id, "http__request__method": known_method(request)}
        with acting_from(origin), tracing.span(named["http__request__method"], parent="", **named):
            response = self.get_response(request)
            route, status = route_of(request), response.status_code
            tracing.note(
                name=f"{named['http__request__method']} {route}",
                failed=status if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None,
                http__route=route,
                http__response__status_code=status,
            )
        response.headers["X-Request-ID"] = origin.request_id
        return response
