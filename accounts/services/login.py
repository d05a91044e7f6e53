"""Checking passwords, with a limit on attempts per user name and address."""

from math import ceil
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from zhiying.kernel.client_address import client_ip
from zhiying.kernel.errors import DomainError, InvalidError
from zhiying.kernel.responses import error_response


class WrongCredentialsError(DomainError):
    """Name and password do not belong together, or the user is deactivated."""

    code = "invalid_credentials"
    status = 401


class TooManyAttemptsError(DomainError):
    """Too many wrong passwords for this name from this address."""

    code = "too_many_attempts"
    status = 429


def login(*, request: HttpRequest, username: str, password: str) -> User:
    """Return the user whose password this is.

    Unknown names take as long as known ones: Django hashes the password in either case.

    Raises:
        WrongCredentialsError, TooManyAttemptsError
    """
    name = _attempts_name(username)
    user = _authenticated(request, name, password)
    if user is None:
        raise WrongCredentialsError(_("The user name or password is wrong."))
    user_logged_in.send(sender=User, request=request, user=user)  # resets the count of failures
    return user


def confirm_password(*, request: HttpRequest, user: User, password: str) -> None:
    """Make sure that whoever uses `user`'s session knows the password too; counts with failed log-ins.

    Raises:
        InvalidError: the password is wrong.
        TooManyAttemptsError
    """
    name = _attempts_name(user.username)
    if _authenticated(request, name, password) is None:
        raise InvalidError(_("The old password is wrong."), code="wrong_password")
    AxesProxyHandler.reset_attempts(username=name, ip_address=client_ip(request))


def _attempts_name(username: str) -> str:
    """One spelling per user, so that changing the case does not buy more attempts."""
    return User.normalize_username(username.strip()).lower()


def _authenticated(request: HttpRequest, name: str, password: str) -> User | None:
    """The user whose password this is, or None after one more failure; raises `TooManyAttemptsError`."""
    if AxesProxyHandler.is_locked(request, {"username": name}):
        raise _too_many(request, name)
    user = authenticate(request=request, username=name, password=password)
    if isinstance(user, User):
        return user
    if AxesProxyHandler.is_locked(request, {"username": name}):
        raise _too_many(request, name)
    return None


def lockout_response(
    request: HttpRequest, original_response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """What a client gets in place of the view's answer after too many attempts."""
    error = lockout_error(request, credentials)
    return error_response(error.status, error.code, error.detail, headers=error.headers)


def lockout_error(request: HttpRequest, credentials: dict[str, Any] | None) -> TooManyAttemptsError:
    """The refusal, with the time to wait, for whoever tried these credentials."""
    return _too_many(request, str((credentials or {}).get("username", "")))


def _too_many(request: HttpRequest, username: str) -> TooManyAttemptsError:
    attempts = AccessAttempt.objects.filter(username=username, ip_address=client_ip(request))
    latest = attempts.order_by("-attempt_time").first()
    started = latest.attempt_time if latest else timezone.now()
    wait_s = max(1, ceil((started + settings.AXES_COOLOFF_TIME - timezone.now()).total_seconds()))
    return TooManyAttemptsError(
        _("Too many attempts to log in. Try again in %(minutes)d minutes.") % {"minutes": ceil(wait_s / 60)},
        headers={"Retry-After": str(wait_s)},
    )
