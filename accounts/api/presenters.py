"""How users and ledger entries look to clients: every name in one place."""

from typing import Any

from accounts.models import CreditEntry, User


def user_body(user: User) -> dict[str, Any]:
    """The fields the front end reads, beside the schema's own names for the same values."""
    return {
        "id": str(user.pk),
        "username": user.username,
        "credits": user.credits,
        "isAdmin": user.is_admin,
        "is_admin": user.is_admin,
        "is_active": user.is_active,
        "created_at": user.created_at,
    }


def entry_body(entry: CreditEntry) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "kind": entry.kind,
        "amount": entry.amount,
        "balance_after": entry.balance_after,
        "batch_id": entry.batch_id,
        "item_id": entry.item_id,
        "note": entry.note,
        "created_at": entry.created_at,
    }
