"""Health, metrics, and answers for what no view handled."""

import hmac
from typing import Any

import dramatiq
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from zhiying.broker import check_broker
from zhiying.kernel.responses import error_response


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, storage and broker answer; 503 with the names of those that do not."""
    failed = [name for name, check in _CHECKS.items() if not _passes(check)]
    status = "ok" if not failed else "unavailable"
    return JsonResponse({"status": status, "failed": failed}, status=503 if failed else 200)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics: for the bearer of METRICS_TOKEN, or for this machine when none is set."""
    if not _may_read_metrics(request):
        return error_response(403, "forbidden", _("Metrics need the token of METRICS_TOKEN."))
    response: HttpResponse = ExportToDjangoView(request)
    return response


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    return not settings.PRODUCTION and request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"}


def _passes(check: Any) -> bool:
    try:
        check()
    except Exception:  # noqa: BLE001  (whatever a client library raises means: not ready)
        return False
    return True


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM users LIMIT 1")


def _check_storage() -> None:
    default_storage.exists("readiness-probe")


_CHECKS = {
    "database": _check_database,
    "storage": _check_storage,
    "broker": lambda: check_broker(dramatiq.get_broker()),
}


@csrf_exempt
def no_such_call(request: HttpRequest, *args: Any) -> JsonResponse:
    """What the API answers for a path it does not have."""
    return not_found(request)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return error_response(400, "bad_request", _("The request cannot be read."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return error_response(403, "forbidden", _("You may not do this."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return error_response(404, "not_found", _("There is nothing at this address."))


def server_error(request: HttpRequest) -> JsonResponse:
    detail = _("Something went wrong on the server. It has been logged; please try again.")
    return error_response(500, "server_error", detail)
