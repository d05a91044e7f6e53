"""The first administrator of a new installation."""

from dataclasses import dataclass

from accounts.models import User
from accounts.services.users import generate_password, user_create


@dataclass(frozen=True)
class FirstAdmin:
    """Who was made, and the password if we chose it."""

    username: str
    generated_password: str | None


def ensure_first_admin(*, username: str, password: str | None) -> FirstAdmin | None:
    """Make an administrator unless there is one already; None when there is.

    Raises:
        InvalidError, ConflictError: as `user_create` does.
    """
    if User.objects.filter(is_admin=True).exists():
        return None
    generated = None if password else generate_password()
    user_create(username=username, password=password or generated or "", is_admin=True, acting_user=None)
    return FirstAdmin(username, generated)
