"""What a browser sees after too many wrong passwords on the admin site's own login."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.services import login


def lockout_response(
    request: HttpRequest, original_response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """A page for people at the admin site, JSON for everybody else; 429 with `Retry-After` in both."""
    answer = login.lockout_response(request, original_response, credentials)
    match = request.resolver_match
    if match is None or match.app_name != "admin":
        return answer
    from adminpanel.admin.site import site

    error = login.lockout_error(request, credentials)
    page = render(
        request,
        "admin/locked_out.html",
        {**site.each_context(request), "title": _("Log-in is locked for a while"), "problem": error.detail},
        status=error.status,
    )
    for name, value in error.headers.items():
        page[name] = value
    return page
