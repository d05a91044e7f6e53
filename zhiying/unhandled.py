"""Answers for what no view handled."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from zhiying.kernel.outages import Part, log_outage, outage_body, outage_headers, outage_of
from zhiying.kernel.responses import error_body, error_response

PAGES = ("/admin/", "/s/")
"""Below these people read pages, not JSON."""


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


def server_error(request: HttpRequest) -> HttpResponse:
    """What an exception outside of the API's views becomes: JSON, or a page for people."""
    error = sys.exc_info()[1]
    part = outage_of(error)
    if part and error:
        return outage_answer(request, part, error)
    return _answer(request, _fault_body(), 500)


def outage_answer(request: HttpRequest, part: Part, error: BaseException) -> HttpResponse:
    """That a part is away; logged in one line."""
    log_outage(request, part, error)
    return _come_again(request, outage_body(part))


def busy_answer(request: HttpRequest) -> HttpResponse:
    """That there is no room for another request. Whoever finds that out logs it."""
    return _come_again(request, error_body("busy", _("The server is overloaded. Try again in a moment.")))


def _come_again(request: HttpRequest, body: dict[str, Any]) -> HttpResponse:
    answer = _answer(request, body, 503)
    for name, value in outage_headers().items():
        answer.headers[name] = value
    answer._has_been_logged = True  # type: ignore[attr-defined]  # or Django adds a line, or a traceback
    return answer


def _answer(request: HttpRequest, body: dict[str, Any], status: int) -> HttpResponse:
    answer = _page(body) if request.path_info.startswith(PAGES) else JsonResponse(body)
    answer.status_code = status
    return answer


def _fault_body() -> dict[str, Any]:
    return error_body(
        "server_error", _("Something went wrong on the server. It has been logged; please try again.")
    )


def _page(body: dict[str, Any]) -> HttpResponse:
    """Needs neither database nor session."""
    return HttpResponse(render_to_string("error_page.html", {"detail": body["detail"]}))
