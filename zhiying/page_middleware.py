"""Django's middleware for pages, which calls of the API pass by.

The API knows its clients by their tokens and never reads a cookie: sessions, messages and the CSRF token
belong to the admin site. What protects every answer (headers, limits, hosts, languages) is not here.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware

if TYPE_CHECKING:
    from django.utils.deprecation import MiddlewareMixin as _Base
else:
    _Base = object

WITHOUT_COOKIES = ("/api/", "/media/", "/static/")
"""Paths below which no cookie is read. The documentation of the API is a page that needs none."""


class _ForPages(_Base):
    """Passes on what is no page."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(WITHOUT_COOKIES):
            return self.get_response(request)
        return super().__call__(request)


class PageSessionMiddleware(_ForPages, SessionMiddleware):
    """Sessions of the admin site."""


class PageAuthenticationMiddleware(_ForPages, AuthenticationMiddleware):
    """The administrator logged in on the admin site."""


class PageMessageMiddleware(_ForPages, MessageMiddleware):
    """What the next page of the admin site shows."""


class PageCsrfMiddleware(_ForPages, CsrfViewMiddleware):
    """Protects what a browser's cookie would permit."""

    def process_view(
        self, request: HttpRequest, callback: Callable[..., Any], callback_args: Any, callback_kwargs: Any
    ) -> Any:
        if request.path_info.startswith(WITHOUT_COOKIES):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)
