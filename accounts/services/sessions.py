"""Sessions and their tokens: made at login, refreshed once per refresh token, ended at will."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from rest_framework_simplejwt.exceptions import TokenError

from accounts.models import Session, User
from accounts.services.tokens import SESSION_CLAIM, SessionRefreshToken, token_pair
from zhiying.kernel.clock import as_told, database_now, database_time
from zhiying.kernel.errors import DomainError

REPLAY_GRACE = timedelta(seconds=10)
"""How long whoever refreshed may ask again and be given the same tokens: tabs race, answers get lost."""


class WrongCredentialsError(DomainError):
    """Name and password do not belong together, or the user is deactivated."""

    code = "invalid_credentials"
    status = 401

    def __init__(self) -> None:
        super().__init__(_("The user name or password is wrong."))


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


@transaction.atomic
def session_start(user: User) -> Tokens:
    """Open a session for a user whose password was checked.

    Args, Raises: as those of `lock_as_checked`.
    """
    now = lock_as_checked(user)
    session = Session(user=user, refresh_jti=uuid4().hex, created_at=now, refreshed_at=now)
    session.expires_at = _expiry(session, now)
    session.save(force_insert=True)
    return _tokens(session)


def lock_as_checked(user: User) -> datetime:
    """Lock the row of a user whose password was checked until the transaction ends; the database's time.

    Checking takes a while. Whatever ends all sessions meanwhile ends what the check was for: a changed
    password, a second factor, deactivation. The lock lets one of the two come first.

    Args:
        user: as they were when the password was checked.

    Raises:
        WrongCredentialsError: that is over.
    """
    # Each of them raises the epoch. A password is also hashed anew by whoever logs in, which ends nothing.
    same = User.objects.filter(pk=user.pk, is_active=True, session_epoch=user.session_epoch)
    found = same.select_for_update(no_key=True).annotate(told=database_now()).first()
    if found is None:
        raise WrongCredentialsError
    return as_told(found.told)


def session_refresh(raw: str, *, client: str = "") -> tuple[User, Tokens]:
    """Exchange a refresh token, which is used up by it.

    Whoever sends the token again within `REPLAY_GRACE`, is the same `client` and has not used what it was
    given gets the same answer again. Any other second use means that somebody has a copy: the session ends.

    Args:
        client: what tells clients apart, such as address and browser; only a digest is kept.

    Raises:
        InvalidTokenError
    """
    claims = _read_refresh(raw)
    now = database_time()
    session = _live(claims.session_id, now)
    fingerprint = salted_hmac("accounts.client", client, algorithm="sha256").hexdigest()
    fresh = {
        "refresh_jti": uuid4().hex,
        "previous_jti": claims.jti,
        "refreshed_by": fingerprint,
        "refreshed_at": now,
        "expires_at": _expiry(session, now),
    }
    # One UPDATE decides which of several parallel refreshes wins.
    live = Session.objects.filter(pk=session.pk, revoked_at=None)
    if live.filter(refresh_jti=claims.jti).update(**fresh):
        for name, value in fresh.items():
            setattr(session, name, value)
        return session.user, _tokens(session)
    session = _live(session.pk, now)
    same_again = session.previous_jti == claims.jti and session.refreshed_by == fingerprint
    if same_again and now - session.refreshed_at <= REPLAY_GRACE:
        return session.user, _tokens(session)
    session_end(session.pk)
    raise InvalidTokenError(
        _("This refresh token was used before. The session has ended; please log in again."),
        code="token_used",
    )


def session_end(session_id: UUID) -> None:
    """Log out: the session's tokens stop working at once."""
    Session.objects.filter(pk=session_id, revoked_at=None).update(revoked_at=database_now())


@transaction.atomic
def revoke_all(*, user_id: UUID, keep: UUID | None = None) -> int:
    """End all sessions of a user but `keep`, and those of the admin site; returns how many of the API's."""
    User.objects.filter(pk=user_id).update(session_epoch=F("session_epoch") + 1)
    sessions = Session.objects.filter(user_id=user_id, revoked_at=None)
    if keep:
        sessions = sessions.exclude(pk=keep)
    return sessions.update(revoked_at=database_now())


def is_live(session: Session, now: datetime) -> bool:
    """Whether a session is good at a time of the database's."""
    return session.revoked_at is None and session.expires_at > now and session.user.is_active


def delete_expired() -> int:
    """Remove sessions that nobody can use any more; returns how many."""
    return Session.objects.filter(expires_at__lt=database_now()).delete()[0]


@dataclass(frozen=True)
class _RefreshClaims:
    session_id: UUID
    jti: str


def _read_refresh(raw: str) -> _RefreshClaims:
    try:
        token = SessionRefreshToken(raw)  # type: ignore[arg-type]  # the stubs want a Token; the code takes text
        return _RefreshClaims(UUID(str(token[SESSION_CLAIM])), str(token["jti"]))
    except (TokenError, KeyError, ValueError, TypeError, UnicodeError) as error:
        raise InvalidTokenError(_("The refresh token is not valid. Please log in again.")) from error


def _live(session_id: UUID, now: datetime) -> Session:
    session = Session.objects.select_related("user").filter(pk=session_id).first()
    if session is None or not is_live(session, now):
        raise InvalidTokenError(_("The session has ended. Please log in again."))
    return session


def _tokens(session: Session) -> Tokens:
    """The tokens of a session as it is now: the same ones however often they are made."""
    access, refresh = token_pair(
        user_id=session.user_id,
        session_id=session.pk,
        jti=session.refresh_jti,
        issued_at=session.refreshed_at,
        expires_at=session.expires_at,
    )
    seconds = min(
        settings.ACCESS_TOKEN_LIFETIME_S, (session.expires_at - session.refreshed_at).total_seconds()
    )
    return Tokens(access, refresh, int(seconds))


def _expiry(session: Session, now: datetime) -> datetime:
    """REFRESH_TOKEN_LIFETIME_S from now, and never beyond SESSION_MAX_LIFETIME_S after the login."""
    return min(
        now + timedelta(seconds=settings.REFRESH_TOKEN_LIFETIME_S),
        session.created_at + timedelta(seconds=settings.SESSION_MAX_LIFETIME_S),
    )
