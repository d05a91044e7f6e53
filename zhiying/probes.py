"""`/healthz`, `/readyz` and `/metrics`, answered before anything else looks at the request.

Load balancers, container engines and Prometheus ask by bare addresses and names of their own, so these
calls do not depend on the Host header, and nothing of what serves users stands before them.
"""

import hmac
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from prometheus_client import CONTENT_TYPE_LATEST

from zhiying.kernel.client_address import came_directly_from_this_machine
from zhiying.kernel.outages import RETRY_AFTER_S
from zhiying.kernel.responses import error_response
from zhiying.metrics import exposition
from zhiying.readiness import readiness

Handler = Callable[[HttpRequest], HttpResponse]


class ProbeMiddleware:
    """The outermost of all middleware."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        if probe is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            answer: HttpResponse = error_response(
                405, "method_not_allowed", _("This address can only be read."), headers={"Allow": "GET, HEAD"}
            )
        else:
            answer = probe(request)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """`ok`, `degraded` (200) or `unavailable` (503), with the names of the parts that do not answer."""
    found = readiness()
    body = {"status": found.status, "failed": list(found.failed)}
    if found.can_serve:
        return JsonResponse(body)
    return JsonResponse(body, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus figures, never for the public."""
    if not _may_read_metrics(request):
        return error_response(403, "forbidden", _("Metrics need the token of METRICS_TOKEN."))
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    """For the bearer of METRICS_TOKEN; where none is set, for this machine itself, past every proxy."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    return came_directly_from_this_machine(request)


PROBES: dict[str, Handler] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
