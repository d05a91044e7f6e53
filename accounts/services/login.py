"""Checking who somebody is: password, second factor, and the limits on guessing both."""

from django.contrib.auth import authenticate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from accounts.services import second_factor
from accounts.services.login_limits import Attempt, begin_attempt, count_call
from accounts.services.sessions import WrongCredentialsError
from zhiying.kernel.clock import database_now
from zhiying.kernel.errors import DomainError, InvalidError

OTP_WRONG = gettext_noop("The code is wrong or was used before. Wait for the next one.")


class OtpRequiredError(DomainError):
    """The password is right; a code of the authenticator is wanted beside it."""

    code = "otp_required"
    status = 401


class OtpWrongError(DomainError):
    """The code is wrong, out of date, or was used before."""

    code = "otp_invalid"
    status = 401


def login(*, username: str, password: str, address: str, otp: str = "") -> User:
    """Return the user whose password (and, where one is set up, whose second factor) this is.

    Unknown names take as long as known ones: Django hashes the password in either case.

    Args:
        address: the client's address, by which attempts are counted.
        otp: a code of the authenticator, or a recovery code.

    Raises:
        WrongCredentialsError, OtpRequiredError, OtpWrongError, TooManyAttemptsError
    """
    count_call("login", address)
    attempt, user = _checked_password(username, password, address)
    if user is None:
        attempt.fail()
        raise WrongCredentialsError
    if second_factor.is_asked_for(user):
        _check_second_factor(attempt, user, otp)
    attempt.succeed()
    User.objects.filter(pk=user.pk).update(last_login=database_now())
    return user


def confirm_password(*, user: User, password: str, address: str) -> None:
    """Make sure that whoever uses `user`'s session knows the password too; counts with failed log-ins.

    Raises:
        InvalidError: the password is wrong.
        TooManyAttemptsError
    """
    attempt, found = _checked_password(user.username, password, address)
    if found is None:
        attempt.fail()
        raise InvalidError(_("The old password is wrong."), code="wrong_password")
    attempt.succeed()


def confirm_second_factor(*, user: User, password: str, code: str, address: str) -> None:
    """As `confirm_password`, for what takes both proofs.

    Raises:
        InvalidError: the password or the code is wrong.
        TooManyAttemptsError
    """
    attempt, found = _checked_password(user.username, password, address)
    if found is None:
        attempt.fail()
        raise InvalidError(_("The old password is wrong."), code="wrong_password")
    if not second_factor.accepts(user, code):
        attempt.fail()
        raise InvalidError(_(OTP_WRONG), code=OtpWrongError.code)
    attempt.succeed()


def _checked_password(username: str, password: str, address: str) -> tuple[Attempt, User | None]:
    """The attempt, counted, and the user if it was right."""
    named = User.objects.named(username)
    attempt = begin_attempt(user=named, username=username, password=password, address=address)
    user = authenticate(username=username, password=password)
    return attempt, user if isinstance(user, User) else None


def _check_second_factor(attempt: Attempt, user: User, otp: str) -> None:
    if not otp.strip():
        attempt.give_back()
        raise OtpRequiredError(_("Enter the code of your authenticator app as well."))
    if not second_factor.accepts(user, otp):
        attempt.fail()
        raise OtpWrongError(_(OTP_WRONG))
