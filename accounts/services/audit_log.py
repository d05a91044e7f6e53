"""Writing and reading the audit log.

An act is recorded by the service that does it, in the same transaction: either both are there or neither.
What owners do to their own batches needs no entry (rows and ledger tell it); whatever an administrator
does to somebody else's, every act on accounts and settings, every deletion and whatever a command changes
has one.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from accounts.models import ActingAs, AuditAction, AuditEntry, User
from accounts.services.ledger_reads import start_of_day
from zhiying.kernel.clock import database_now
from zhiying.kernel.origin import current_origin
from zhiying.kernel.windows import made_between

MAX_DETAIL_CHARS = 500
_SECRET_NAME = re.compile(r"password|secret|token|signature|(?<!idempotency_)key$")


def record(
    action: AuditAction,
    *,
    acting_user: User | None,
    target: Model,
    owner: User | UUID | None = None,
    name: str = "",
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Record an act on `target`. Call it inside the transaction of the act.

    Args:
        acting_user: who did it; None when a command or the system did.
        owner: whose the target is, where it is somebody's.
        name: what people call the target; `str(target)` unless given.
        details: plain values that say what changed. A name that sounds like a secret is an error here.
    """
    owner_id = owner.pk if isinstance(owner, User) else owner
    origin = current_origin()
    actor_name = acting_user.username if acting_user else origin.command
    target_name = (name or str(target))[:300]
    return AuditEntry.objects.create(
        created_at=database_now(),
        actor=acting_user,
        actor_name=actor_name,
        actor_key=actor_name.casefold()[:150],
        acting_as=_capacity(acting_user, owner_id, origin.command),
        action=action,
        target_kind=str(target._meta.model_name),
        target_id=str(target.pk),
        target_name=target_name,
        target_key=target_name.casefold()[:300],
        owner_id=owner_id,
        reason=reason.strip()[:500],
        details=_without_secrets(details or {}),
        request_id=origin.request_id,
        client_address=origin.client_address,
    )


def record_unless_owner(
    action: AuditAction, *, acting_user: User | None, target: Model, owner: UUID, **more: Any
) -> AuditEntry | None:
    """As `record`, for what owners may do to their own without an entry."""
    if acting_user is not None and acting_user.pk == owner:
        return None
    return record(action, acting_user=acting_user, target=target, owner=owner, **more)


def entries(filters: Mapping[str, Any]) -> "QuerySet[AuditEntry]":
    """Entries, newest first, by `search`, `actor`, `owner`, `action`, `target`, `date_from`, `date_to`.

    `search` is the beginning of a name, of the target or of whoever acted; days are local ones.
    """
    rows = AuditEntry.objects.order_by("-number")
    if search := filters.get("search"):
        rows = rows.filter(name_begins_with(str(search)))
    for field, column in (
        ("actor", "actor_id"),
        ("owner", "owner_id"),
        ("action", "action"),
        ("target", "target_id"),
    ):
        if value := filters.get(field):
            rows = rows.filter(**{column: value})
    first, last = filters.get("date_from"), filters.get("date_to")
    return made_between(
        rows,
        start_of_day(first) if first else None,
        start_of_day(last + timedelta(days=1)) if last else None,
    )


def name_begins_with(text: str) -> Q:
    """Entries whose target or actor has a name that begins so, in any case."""
    key = text.strip().casefold()
    return Q(target_key__startswith=key) | Q(actor_key__startswith=key)


def _capacity(acting_user: User | None, owner_id: UUID | None, command: str) -> ActingAs:
    if acting_user is None:
        return ActingAs.COMMAND if command else ActingAs.SYSTEM
    if acting_user.pk == owner_id or not acting_user.is_admin:
        return ActingAs.OWNER
    return ActingAs.ADMINISTRATOR


def _without_secrets(details: Mapping[str, Any]) -> dict[str, Any]:
    if named := [name for name in details if _SECRET_NAME.search(name)]:
        raise ValueError(f"details of the audit log must not hold {named}")
    return {
        name: value[:MAX_DETAIL_CHARS] if isinstance(value, str) else value for name, value in details.items()
    }
