"""User groups: made, changed, deleted.

Whoever writes a reference to a group locks its row first, as deletion does: after rows of users, before those
of engine rules.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from accounts.models import AuditAction, User, UserGroup
from accounts.services import audit_log
from zhiying.kernel.errors import ConflictError, NotFoundError

GRANTED = ("name", "queue_weight", "retention_days", "quota_mb")
"""What an administrator decides for a group."""


def lock_group(group_id: UUID) -> UserGroup:
    """Let the group be there until the transaction ends.

    Raises:
        NotFoundError: it is not.
    """
    group = UserGroup.objects.select_for_update(no_key=True).filter(pk=group_id).first()
    if group is None:
        raise NotFoundError(_("There is no such group."))
    return group


@transaction.atomic
def group_save(*, group: UserGroup, acting_user: User | None) -> UserGroup:
    """Make a group, or write what was changed of it.

    Raises:
        NotFoundError: it was deleted meanwhile.
    """
    earlier = None if group._state.adding else lock_group(group.pk)
    group.save()
    details = _changes(earlier, group)
    if details:
        action = AuditAction.GROUP_CHANGE if earlier else AuditAction.GROUP_CREATE
        audit_log.record(action, acting_user=acting_user, target=group, details=details)
    return group


@transaction.atomic
def group_delete(*, group: UserGroup, acting_user: User | None) -> None:
    """Delete a group without users.

    Raises:
        ConflictError: somebody is in it. NotFoundError: it was deleted before.
    """
    if not UserGroup.objects.select_for_update().filter(pk=group.pk):
        raise NotFoundError(_("There is no such group."))
    audit_log.record(AuditAction.GROUP_DELETE, acting_user=acting_user, target=group)
    try:
        UserGroup.objects.filter(pk=group.pk).delete()
    except ProtectedError as error:
        raise ConflictError(_("Users are in this group. Move them first."), code="group_in_use") from error


def _changes(earlier: UserGroup | None, group: UserGroup) -> dict[str, Any]:
    """What is granted now, and before where that was something else."""
    if earlier is None:
        return {name: getattr(group, name) for name in GRANTED}
    changed = [name for name in GRANTED if getattr(earlier, name) != getattr(group, name)]
    now = {name: getattr(group, name) for name in changed}
    return now | {f"{name}_before": getattr(earlier, name) for name in changed}
