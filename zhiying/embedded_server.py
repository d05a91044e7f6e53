"""The web server inside `manage.py serve`: refuses bodies by their headers, in JSON.

waitress keeps the whole body of a request on disk before the application sees it, so the application's own
limits would come too late. Here the headers alone decide: the call's limit, and for calls that take files
whether the request carries a token that we signed (whether its session is still alive is seen later).
"""

from copy import copy
from typing import Any

from django.utils.translation import gettext as _
from rest_framework_simplejwt.exceptions import AuthenticationFailed, TokenError
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer, create_server
from waitress.utilities import BadRequest

from accounts.api.authentication import SessionTokenAuthentication
from zhiying.kernel.body_limits import DEFAULT_BODY_BYTES, limit_for_path, too_large_error
from zhiying.kernel.responses import error_response


class Refusal(BadRequest):  # type: ignore[misc]  # waitress has no types
    """waitress's own error answers, in the shape of all others."""

    def __init__(self, status: int, reason: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.reason = status, reason
        self._content = error_response(status, code, detail).content

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        return f"{self.code} {self.reason}", [("Content-Type", "application/json")], self._content


class LimitedParser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Knows after the headers how much of a body it may keep."""

    adj: Any
    error: Any

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.error is not None and not isinstance(self.error, Refusal):
            self.error = self._refusal()
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        limit = limit_for_path(self.path)
        allowed = limit.for_type(self.headers.get("CONTENT_TYPE", ""))
        if (
            limit.accepts_files
            and allowed > DEFAULT_BODY_BYTES
            and not _is_signed(self.headers.get("AUTHORIZATION", ""))
        ):
            allowed = DEFAULT_BODY_BYTES
        self.adj = copy(self.adj)
        self.adj.max_request_body_size = allowed + 1  # waitress refuses what reaches its limit
        self._allowed = allowed

    def _refusal(self) -> Refusal:
        if self.error.code == 413:
            refused = too_large_error(self._allowed)
            if self._allowed == DEFAULT_BODY_BYTES and limit_for_path(self.path).accepts_files:
                return Refusal(401, "Unauthorized", "not_authenticated", _("Log in before you send files."))
            return Refusal(413, self.error.reason, refused.code, refused.detail)
        return Refusal(self.error.code, self.error.reason, "bad_request", str(self.error.body))


class LimitedChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection whose requests are limited by their headers."""

    parser_class = LimitedParser


def embedded_server(application: Any, **options: Any) -> Any:
    """A waitress server with these limits; `options` are waitress's own."""
    BaseWSGIServer.channel_class = LimitedChannel  # one server may listen on several sockets
    return create_server(application, **options)


def _is_signed(authorization: str) -> bool:
    """Whether an Authorization header holds a token of ours that has not expired."""
    kind, _, token = authorization.partition(" ")
    if kind.lower() != "bearer":
        return False
    try:
        SessionTokenAuthentication().get_validated_token(token.strip().encode())
    except (AuthenticationFailed, TokenError, UnicodeError):
        return False
    return True
