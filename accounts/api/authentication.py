"""Bearer tokens that live as long as their session."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.tokens import Token

from accounts.models import Session, User
from accounts.services.sessions import SESSION_CLAIM, is_live


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
        session = self._session(self.get_validated_token(raw))
        return session.user, session.pk

    def get_validated_token(self, raw_token: bytes) -> Token:
        try:
            return super().get_validated_token(raw_token)
        except InvalidToken as error:
            raise InvalidToken(_("The token has expired or is not valid. Please log in again.")) from error

    def _session(self, token: Token) -> Session:
        try:
            session_id = UUID(str(token[SESSION_CLAIM]))
        except (KeyError, ValueError) as error:
            raise InvalidToken(_("The token has expired or is not valid. Please log in again.")) from error
        session = Session.objects.select_related("user").filter(pk=session_id).first()
        if session is None or not is_live(session):
            raise InvalidToken(_("The session has ended. Please log in again."))
        return session


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
