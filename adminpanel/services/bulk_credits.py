"""An administrator's change of the credits of one or many users: all of them or none, and only once."""

from collections.abc import Callable, Sequence

from django.db import transaction

from accounts.models import User
from accounts.services import credits as ledger
from zhiying.kernel.errors import DomainError
from zhiying.kernel.idempotency import Answer, KeyedRequest, Save, fingerprint, perform_once

Changed = Callable[[User, int], None]
"""Called with each user and their new balance, inside the transaction."""


def credits_set(
    *, users: Sequence[User], new_credits: int, reason: str, acting_user: User, key: str, on_changed: Changed
) -> int:
    """Set the balance of every user; returns how many users it was.

    Raises:
        DomainError: names the user it fails for; nobody's credits were changed.
    """

    def change(user: User) -> int:
        return ledger.set_credits(
            user_id=user.pk, new_credits=new_credits, reason=reason, acting_user=acting_user
        )

    return _once(users, change, f"set {new_credits}: {reason}", acting_user, key, on_changed)


def credits_adjust(
    *, users: Sequence[User], delta: int, reason: str, acting_user: User, key: str, on_changed: Changed
) -> int:
    """Raise or lower the balance of every user by `delta`; returns how many users it was.

    Raises:
        DomainError: names the user it fails for; nobody's credits were changed.
    """

    def change(user: User) -> int:
        return ledger.adjust_credits(user_id=user.pk, delta=delta, reason=reason, acting_user=acting_user)

    return _once(users, change, f"adjust {delta}: {reason}", acting_user, key, on_changed)


def _once(
    users: Sequence[User],
    change: Callable[[User], int],
    meaning: str,
    acting_user: User,
    key: str,
    on_changed: Changed,
) -> int:
    # Always in the same order, so that two administrators cannot lock each other out.
    ordered = sorted(users, key=lambda user: user.pk)

    @transaction.atomic
    def work(save: Save) -> Answer:
        for user in ordered:
            try:
                on_changed(user, change(user))
            except DomainError as error:
                raise DomainError(
                    f"{user.username}: {error.detail}", code=error.code, status=error.status
                ) from error
        body = {"count": len(ordered)}
        save(200, body)
        return 200, body

    content = fingerprint("admin-site-credits", {"ids": [str(user.pk) for user in ordered], "": meaning}, {})
    _, body = perform_once(KeyedRequest(acting_user.pk, f"admin-site-{key}", content), work)
    return int(body["count"])
