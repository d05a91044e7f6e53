"""Turns every exception of a view into the one error shape, in JSON."""

import logging
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from zhiying.kernel.api.renderers import FastJSONRenderer
from zhiying.kernel.errors import DomainError
from zhiying.kernel.outages import log_outage, outage_body, outage_headers, outage_of
from zhiying.kernel.responses import error_body

logger = logging.getLogger(__name__)

_JSON = FastJSONRenderer()
_TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """REST framework's hook: no exception leaves a view as HTML or without a reason.

    In JSON also where the view itself answers with a page or in YAML.
    """
    set_rollback()
    request = context["request"]
    request.accepted_renderer, request.accepted_media_type = _JSON, _JSON.media_type
    return _answer(exc, request)


def _answer(exc: Exception, request: Request) -> Response:
    if isinstance(exc, DomainError):
        return Response(
            error_body(exc.code, exc.detail, **exc.extra), status=exc.status, headers=exc.headers or None
        )
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    elif isinstance(exc, _TOO_LARGE):
        detail = _("The request has too many files or fields, or a field that is too long.")
        return Response(error_body("request_too_large", detail), status=413)
    elif isinstance(exc, SuspiciousOperation):
        return Response(error_body("bad_request", _("The request cannot be read.")), status=400)
    if isinstance(exc, exceptions.APIException):
        return _api_exception(exc)
    if part := outage_of(exc):
        log_outage(request, part, exc)
        return Response(outage_body(part), status=503, headers=outage_headers())
    logger.error("Unhandled error in %s", request.path, exc_info=exc)
    detail = _("Something went wrong on the server. It has been logged; please try again.")
    return Response(error_body("server_error", detail), status=500)


def _api_exception(exc: exceptions.APIException) -> Response:
    headers: dict[str, str] = {}
    if header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait))
    if isinstance(exc, exceptions.ValidationError):
        fields = _plain(exc.detail)
        body = error_body("invalid", _first_sentence(fields), errors=fields)
    else:
        body = error_body(*_code_and_detail(exc))
    return Response(body, status=exc.status_code, headers=headers or None)


def _code_and_detail(exc: exceptions.APIException) -> tuple[str, str]:
    detail, codes = exc.detail, exc.get_codes()
    if isinstance(detail, dict):  # simplejwt's errors carry both inside
        return str(detail.get("code", exc.default_code)), str(detail.get("detail", exc.default_detail))
    return codes if isinstance(codes, str) else str(exc.default_code), str(detail)


def _plain(detail: Any) -> Any:
    """Error details without REST framework's string type."""
    if isinstance(detail, dict):
        return {key: _plain(value) for key, value in detail.items()}
    if isinstance(detail, list):
        return [_plain(value) for value in detail]
    return str(detail)


def _first_sentence(errors: Any, field: str = "") -> str:
    """The first problem as a sentence that names its field."""
    if isinstance(errors, dict):
        for name, value in errors.items():
            return _first_sentence(value, "" if name == "non_field_errors" else str(name))
    if isinstance(errors, list):
        for value in errors:
            if value:
                return _first_sentence(value, field)
    return f"{field}: {errors}" if field else str(errors)
