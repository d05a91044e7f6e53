"""Tokens signed by the first of several keys and good with any of them, so that keys can be changed."""

from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

SESSION_CLAIM = "sid"
CLOCKS_APART = timedelta(days=1)
"""How far the clocks of web processes may differ. Within that signatures are checked without regard to the
time; whether a token has expired is decided by the database's clock, to the second."""


class RotatingBackend(TokenBackend):
    """Signs with the first key and verifies with all of them."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__(api_settings.ALGORITHM, keys[0], leeway=CLOCKS_APART)
        self._earlier = [TokenBackend(api_settings.ALGORITHM, key, leeway=CLOCKS_APART) for key in keys[1:]]

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """The token's claims.

        Raises:
            TokenBackendError: no key fits, the token is malformed or has expired.
        """
        try:
            return dict(super().decode(token, verify))
        except TokenBackendExpiredToken:
            raise
        except TokenBackendError as error:
            for backend in self._earlier:
                with suppress(TokenBackendError):
                    return dict(backend.decode(token, verify))
            raise error


@lru_cache(maxsize=8)
def _backend(keys: tuple[str, ...]) -> RotatingBackend:
    return RotatingBackend(keys)


class _Rotating:
    @property
    def token_backend(self) -> Any:
        return _backend(tuple(settings.JWT_SIGNING_KEYS))

    def get_token_backend(self) -> Any:
        return self.token_backend


class SessionAccessToken(_Rotating, AccessToken):
    """Names its session; good while that lives."""


class SessionRefreshToken(_Rotating, RefreshToken):  # type: ignore[misc]  # simplejwt's own bases disagree
    """Exchanged once for the next tokens of its session."""

    access_token_class = SessionAccessToken


def token_pair(
    *, user_id: UUID, session_id: UUID, jti: str, issued_at: datetime, expires_at: datetime
) -> tuple[str, str]:
    """An access and a refresh token. The same facts give the same tokens, whoever asks first.

    Neither outlives the session, which ends at `expires_at`.
    """
    refresh, access = SessionRefreshToken(), SessionAccessToken()
    access_end = min(issued_at + api_settings.ACCESS_TOKEN_LIFETIME, expires_at)
    access_jti = salted_hmac("accounts.access_jti", jti, algorithm="sha256").hexdigest()[: len(jti)]
    for token, name, end in ((refresh, jti, expires_at), (access, access_jti, access_end)):
        token[api_settings.USER_ID_CLAIM] = str(user_id)
        token[SESSION_CLAIM] = str(session_id)
        token["jti"] = name
        token.set_iat(at_time=issued_at)
        token["exp"] = int(end.timestamp())
    return str(access), str(refresh)
