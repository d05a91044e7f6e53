"""Users: made, changed, deactivated."""

import secrets
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import AuditAction, User, UserGroup
from accounts.services import audit_log, sessions
from accounts.services import credits as ledger
from accounts.services.login import confirm_password
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
        user.clean_fields(exclude=["password"])
        with transaction.atomic():
            user.save(force_insert=True)
            ledger.grant_signup(user=user, amount=amount, acting_user=acting_user)
            _record(
                AuditAction.USER_CREATE, user, acting_user, details={"credits": amount, "is_admin": is_admin}
            )
    except ValidationError as error:
        raise InvalidError(_("The user name is not acceptable: ") + " ".join(error.messages)) from error
    except IntegrityError as error:
        raise ConflictError(_("A user with that name already exists."), code="username_taken") from error
    user.refresh_from_db(fields=["credits"])
    return user


def password_change(
    *, request: HttpRequest, user: User, old_password: str, new_password: str, keep_session: UUID | None
) -> None:
    """Change the user's own password and end every other session.

    Raises:
        InvalidError: the old password is wrong, or the new one too weak.
        TooManyAttemptsError: the old password was wrong too often.
    """
    # Outside of the transaction: a refusal must not take the count of attempts back.
    confirm_password(request=request, user=user, password=old_password)
    password_set(user=user, new_password=new_password, acting_user=user, keep_session=keep_session)


@transaction.atomic
def password_set(
    *, user: User, new_password: str, acting_user: User | None, keep_session: UUID | None = None
) -> None:
    """Set a password, ending every session but `keep_session`."""
    _check_password(new_password, user)
    user.set_password(new_password)
    user.save(update_fields=["password"])
    sessions.revoke_all(user_id=user.pk, keep=keep_session)
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
    """Put a user into a group, or (None) under the settings of the installation."""
    before = user.group
    user.group = group
    user.save(update_fields=["group"])
    _record(
        AuditAction.USER_GROUP,
        user,
        acting_user,
        details={"before": before.name if before else "", "after": group.name if group else ""},
    )
    return user


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
