"""Middleware of the project."""

from collections.abc import Callable

from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from zhiying.kernel.client_address import client_ip
from zhiying.kernel.origin import acting_from, request_origin
from zhiying.kernel.responses import error_response

Handler = Callable[[HttpRequest], HttpResponse]


class RequestLimitMiddleware:
    """Refuses request bodies larger than a full batch before a byte of them is parsed."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _content_length(request) > settings.REQUEST_MAX_BYTES:
            limit_mb = settings.REQUEST_MAX_BYTES // 1_000_000
            return error_response(
                413,
                "request_too_large",
                _("The request is larger than %(limit_mb)d MB. Send fewer or smaller files.")
                % {"limit_mb": limit_mb},
            )
        return self.get_response(request)


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


def _content_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


class OriginMiddleware:
    """Tells services which request they act for; the audit log keeps it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = str(request.META.get("HTTP_X_REQUEST_ID", ""))
        with acting_from(request_origin(request_id=request_id, client_address=client_ip(request))):
            return self.get_response(request)
