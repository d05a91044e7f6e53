"""The Django admin site. Importing it registers everything administrators see."""

from adminpanel.admin import (
    audit_log,
    batches,
    credentials,
    deletions,
    engine_rules,
    groups,
    items,
    ledger,
    login_attempts,
    users,
    workers,
)

__all__ = [
    "audit_log",
    "batches",
    "credentials",
    "deletions",
    "engine_rules",
    "groups",
    "items",
    "ledger",
    "login_attempts",
    "users",
    "workers",
]
