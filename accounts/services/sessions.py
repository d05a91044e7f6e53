"""Sessions and their tokens: made at login, refreshed once per refresh token, ended at will."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import Session, User
from zhiying.kernel.errors import DomainError

SESSION_CLAIM = "sid"
REUSE_GRACE = timedelta(seconds=30)
"""Two tabs may refresh at once; a refresh token that comes back later than this was stolen."""


class InvalidTokenError(DomainError):
    """The token is malformed, expired, used up, or its session has ended."""

    code = "token_not_valid"
    status = 401


@dataclass(frozen=True)
class Tokens:
    """What a client gets at login and at each refresh."""

    access: str
    refresh: str
    expires_in: int
    """Seconds until `access` expires."""


def session_start(user: User) -> Tokens:
    """Open a session for a user whose password was checked."""
    session = Session(user=user, expires_at=_expiry())
    tokens, session.refresh_jti = _issue(session)
    session.save(force_insert=True)
    return tokens


def session_refresh(raw: str) -> tuple[User, Tokens]:
    """Exchange a refresh token, which is used up by it.

    Raises:
        InvalidTokenError: also when the token was used before; if that was more than `REUSE_GRACE`
            ago, somebody has a copy, and the whole session ends.
    """
    claims = _read_refresh(raw)
    session = Session.objects.select_related("user").filter(pk=claims.session_id).first()
    if session is None or not is_live(session):
        raise InvalidTokenError(_("The session has ended. Please log in again."))
    tokens, jti = _issue(session)
    # One UPDATE decides which of several parallel refreshes wins.
    won = Session.objects.filter(pk=session.pk, refresh_jti=claims.jti, revoked_at=None).update(
        refresh_jti=jti, refreshed_at=timezone.now(), expires_at=_expiry()
    )
    if not won:
        if timezone.now() - session.refreshed_at > REUSE_GRACE:
            Session.objects.filter(pk=session.pk).update(revoked_at=timezone.now())
        raise InvalidTokenError(_("This refresh token was used before."), code="token_used")
    return session.user, tokens


def session_end(session_id: UUID) -> None:
    """Log out: the session's tokens stop working at once."""
    Session.objects.filter(pk=session_id, revoked_at=None).update(revoked_at=timezone.now())


def revoke_all(*, user_id: UUID, keep: UUID | None = None) -> int:
    """End all sessions of a user but `keep`; returns how many ended."""
    sessions = Session.objects.filter(user_id=user_id, revoked_at=None)
    if keep:
        sessions = sessions.exclude(pk=keep)
    return sessions.update(revoked_at=timezone.now())


def is_live(session: Session) -> bool:
    return session.revoked_at is None and session.expires_at > timezone.now() and session.user.is_active


def delete_expired() -> int:
    """Remove sessions that nobody can use any more; returns how many."""
    return Session.objects.filter(expires_at__lt=timezone.now()).delete()[0]


@dataclass(frozen=True)
class _RefreshClaims:
    session_id: UUID
    jti: str


def _read_refresh(raw: str) -> _RefreshClaims:
    try:
        token = RefreshToken(raw)  # type: ignore[arg-type]  # the stubs want a Token; the code takes text
        return _RefreshClaims(UUID(str(token[SESSION_CLAIM])), str(token["jti"]))
    except (TokenError, KeyError, ValueError, TypeError, UnicodeError) as error:
        raise InvalidTokenError(_("The refresh token is not valid. Please log in again.")) from error


def _issue(session: Session) -> tuple[Tokens, str]:
    refresh = RefreshToken.for_user(session.user)
    refresh[SESSION_CLAIM] = str(session.pk)
    access: AccessToken = refresh.access_token
    tokens = Tokens(str(access), str(refresh), settings.ACCESS_TOKEN_LIFETIME_S)
    return tokens, str(refresh["jti"])


def _expiry() -> datetime:
    return timezone.now() + timedelta(seconds=settings.REFRESH_TOKEN_LIFETIME_S)
