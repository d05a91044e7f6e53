"""Entering the site with the session of the web application."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.services.handover import handover_use, still_open
from zhiying.kernel.errors import DomainError

WEB_SESSION = "web_session"
"""The name, in a session of the site, of the web session that it came from and ends with."""
_LOOKED = "_web_session_was_looked_at"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def enter(request: HttpRequest) -> HttpResponse:
    """Open a session of the site for the code that a page of this origin posts.

    The page is the web application, which has no CSRF cookie. What the cookie would show, the browser says
    itself: which origin a form comes from. So nobody else's page can log a visitor in, as whomever.
    """
    if request.method != "POST":
        return HttpResponseRedirect(reverse("admin:index"))
    refused = HttpResponseRedirect(reverse("admin:login"))
    if request.headers.get("Origin") not in _own_origins(request):
        messages.error(request, _("The way in has to be taken from the web application of this site."))
        return refused
    try:
        session = handover_use(code=request.POST.get("code", ""))
    except DomainError as error:
        messages.error(request, error.detail)
        return refused
    login(request, session.user, backend=_BACKEND)
    request.session[WEB_SESSION] = str(session.pk)
    return HttpResponseRedirect(_first_page(request))


def web_session_of(request: HttpRequest) -> Any:
    """The id of the web session by which this one was opened; None for those of the log-in page."""
    return request.session.get(WEB_SESSION)


def end_with_web_session(request: HttpRequest) -> None:
    """Log out if the web session that opened this one has ended; looked at once in a request."""
    session_id = web_session_of(request)
    if session_id is None or getattr(request, _LOOKED, False):
        return
    setattr(request, _LOOKED, True)
    if not still_open(session_id):
        logout(request)


def _own_origins(request: HttpRequest) -> set[str]:
    return {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}


def _first_page(request: HttpRequest) -> str:
    """The page of this site that was wanted, or the overview."""
    index = reverse("admin:index")
    wanted = request.POST.get("next", "")
    inside = wanted.startswith(index) and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if inside else index
