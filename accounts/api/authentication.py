"""Bearer tokens that live as long as their session."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError

from accounts.models import User
from accounts.services.session_reads import live_session
from accounts.services.tokens import SESSION_CLAIM, SessionAccessToken
from zhiying.kernel.log_lines import also_belongs_to

PROVEN_TOKENS = 4096
"""Tokens whose signature a process remembers to have checked."""


class SessionTokenAuthentication(JWTAuthentication):
    """Accepts an access token while its session is live and its user active.

    One query reads both, so that logging out, deactivation and a changed password work at once.
    `request.auth` is the session's id.
    """

    def authenticate(self, request: Request) -> Any:
        header = self.get_header(request)
        if header is None:
            return None
        raw = self.get_raw_token(header)
        if raw is None:
            return None
        session_id, expires_at = _proven(raw, tuple(settings.JWT_SIGNING_KEYS))
        found = live_session(session_id)
        if found is None:
            raise InvalidToken(_("The session has ended. Please log in again."))
        session, now = found
        if expires_at <= now.timestamp():
            raise _invalid()
        also_belongs_to(user=session.user_id)
        return session.user, session.pk


@lru_cache(maxsize=PROVEN_TOKENS)
def _proven(raw: bytes, keys: tuple[str, ...]) -> tuple[UUID, float]:
    """The session an access token names and when the token expires, once its signature was checked.

    What the signature proves does not change, so it is computed once for the tokens in use; whether the
    token has expired and its session still lives is looked at in every call. Refusals are not kept.
    """
    try:
        token = SessionAccessToken(raw)  # type: ignore[arg-type]  # the stubs want a Token; the code takes text
        return UUID(str(token[SESSION_CLAIM])), float(token["exp"])
    except (TokenError, KeyError, ValueError) as error:
        raise _invalid() from error


def _invalid() -> InvalidToken:
    return InvalidToken(_("The token has expired or is not valid. Please log in again."))


class SessionTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Names the scheme in the OpenAPI schema."""

    target_class = "accounts.api.authentication.SessionTokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def current_user(request: Request) -> User:
    """The authenticated user of a view that requires one."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101  (IsAuthenticated has seen to it; this tells the type checker)
    return user


def session_id_of(request: Request) -> UUID:
    """The session whose token came with the request."""
    return UUID(str(request.auth))
