"""Rows of users, their sessions, their credits, and what was done to them."""

from accounts.models.audit_entry import ActingAs, AuditAction, AuditEntry
from accounts.models.credit_entry import CreditEntry, EntryKind
from accounts.models.group import UserGroup
from accounts.models.session import Session
from accounts.models.usage import UsageDay
from accounts.models.user import User, UserManager

__all__ = [
    "ActingAs",
    "AuditAction",
    "AuditEntry",
    "CreditEntry",
    "EntryKind",
    "Session",
    "UsageDay",
    "User",
    "UserGroup",
    "UserManager",
]
