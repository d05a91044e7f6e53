"""Users: made, changed, deactivated."""

import secrets
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import AuditAction, User, UserGroup
from accounts.models.user_names import MAX_KEY_LENGTH, mixes_alphabets, username_key
from accounts.services import audit_log, sessions
from accounts.services import credits as ledger
from accounts.services.groups import lock_group
from accounts.services.login import confirm_password
from accounts.services.login_limits import forget_attempts
from zhiying.kernel.errors import ConflictError, InvalidError

GENERATED_PASSWORD_BYTES = 12


def generate_password() -> str:
    """A random password of 16 URL-safe characters."""
    return secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)


def user_create(
    *,
    username: str,
    password: str,
    acting_user: User | None,
    credits: int | None = None,  # noqa: A002  (the contract's word)
    is_admin: bool = False,
) -> User:
    """Make a user with their first credits (`SIGNUP_CREDITS` unless given) in the ledger.

    Raises:
        ConflictError: the name is taken.
        InvalidError: the name, password or credits are not acceptable.
    """
    user = User(username=User.normalize_username(username.strip()), is_admin=is_admin)
    amount = settings.SIGNUP_CREDITS if credits is None else credits
    if not 0 <= amount <= ledger.MAX_CREDITS:
        raise InvalidError(_("Credits must be between 0 and %(max)d.") % {"max": ledger.MAX_CREDITS})
    _check_password(password, user)
    user.set_password(password)
    try:
        user.clean_fields(exclude=["password", "username_key"])
        check_username(user.username)
        with transaction.atomic():
            user.save(force_insert=True)
            ledger.grant_signup(user=user, amount=amount, acting_user=acting_user)
            user.refresh_from_db(fields=["credits"])
            _record(
                AuditAction.USER_CREATE, user, acting_user, details={"credits": amount, "is_admin": is_admin}
            )
    except ValidationError as error:
        raise InvalidError(_("The user name is not acceptable: ") + " ".join(error.messages)) from error
    except IntegrityError as error:
        if User.objects.named(user.username) is None:
            raise  # whatever it was, the name is free
        raise ConflictError(_("A user with that name already exists."), code="username_taken") from error
    return user


def password_change(
    *, user: User, old_password: str, new_password: str, address: str, keep_session: UUID | None
) -> None:
    """Change the user's own password and end every other session.

    Raises:
        InvalidError: the old password is wrong, or the new one too weak.
        TooManyAttemptsError: the old password was wrong too often.
        WrongCredentialsError: the user's sessions were ended meanwhile.
    """
    # Outside of the transaction: a refusal must not take the count of attempts back.
    confirm_password(user=user, password=old_password, address=address)
    password_set(user=user, new_password=new_password, acting_user=user, keep_session=keep_session)


@transaction.atomic
def password_set(
    *, user: User, new_password: str, acting_user: User | None, keep_session: UUID | None = None
) -> None:
    """Set a password, ending every session but `keep_session`.

    Somebody else's setting it lifts what locks the user out, too. The user's own follows a check of the old.

    Raises:
        InvalidError: the password is too weak.
        WrongCredentialsError: what ended the user's sessions since that check, such as somebody else's
            setting the password, comes first.
    """
    own = acting_user is not None and acting_user.pk == user.pk
    _check_password(new_password, user)
    if own:
        sessions.lock_as_checked(user)
    user.set_password(new_password)
    user.save(update_fields=["password"])
    sessions.revoke_all(user_id=user.pk, keep=keep_session)
    user.refresh_from_db(fields=["session_epoch"])
    if not own:
        forget_attempts(user)
    _record(AuditAction.USER_PASSWORD, user, acting_user)


@transaction.atomic
def sessions_end(*, user: User, acting_user: User | None) -> int:
    """End every session of a user; returns how many there were."""
    ended = sessions.revoke_all(user_id=user.pk)
    audit_log.record_unless_owner(
        AuditAction.USER_SESSIONS_END,
        acting_user=acting_user,
        target=user,
        owner=user.pk,
        name=user.username,
        details={"count": ended},
    )
    return ended


@transaction.atomic
def user_set_active(*, user: User, is_active: bool, acting_user: User | None) -> User:
    """(De)activate a user; a deactivated user's sessions end at once."""
    if acting_user is not None and user.pk == acting_user.pk and not is_active:
        raise ConflictError(_("You cannot deactivate yourself."), code="own_account")
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    if not is_active:
        sessions.revoke_all(user_id=user.pk)
    _record(AuditAction.USER_ACTIVATE if is_active else AuditAction.USER_DEACTIVATE, user, acting_user)
    return user


@transaction.atomic
def user_set_group(*, user: User, group: UserGroup | None, acting_user: User | None) -> User:
    """Put a user into a group, or (None) under the settings of the installation.

    Raises:
        NotFoundError: the group was deleted meanwhile.
    """
    before = ledger.lock_user(user.pk).group
    user.group = group = lock_group(group.pk) if group else None
    user.save(update_fields=["group"])
    _record(
        AuditAction.USER_GROUP,
        user,
        acting_user,
        details={"before": before.name if before else "", "after": group.name if group else ""},
    )
    return user


def password_reset(*, user: User, new_password: str | None, acting_user: User) -> str:
    """Give somebody else a new password, generated unless given; returns it. All their sessions end.

    Raises:
        ConflictError: it is the administrator's own, which needs the old one.
        InvalidError: the password is too weak.
    """
    if user.pk == acting_user.pk:
        raise ConflictError(_("Change your own password under your account."), code="own_account")
    password = new_password or generate_password()
    password_set(user=user, new_password=password, acting_user=acting_user)
    return password


def check_username(username: str) -> None:
    """Refuse names that could be taken for somebody else's.

    Raises:
        ValidationError
    """
    if not 0 < len(username_key(username)) <= MAX_KEY_LENGTH:
        raise ValidationError(_("The name is too long or has no visible letters."))
    if mixes_alphabets(username):
        raise ValidationError(_("Use letters of one alphabet: Latin, Greek and Cyrillic ones look alike."))


def _record(
    action: AuditAction, user: User, acting_user: User | None, details: dict[str, Any] | None = None
) -> None:
    audit_log.record(
        action, acting_user=acting_user, target=user, owner=user, name=user.username, details=details
    )


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidError(" ".join(error.messages), code="weak_password") from error
