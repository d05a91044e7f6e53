"""Rows of users, their sessions, their credits, and what was done to them and tried on them."""

from accounts.models.audit_entry import ActingAs, AuditAction, AuditEntry
from accounts.models.credit_entry import CreditEntry, EntryKind
from accounts.models.group import UserGroup
from accounts.models.handover import Handover
from accounts.models.login_counter import CounterKind, KnownNetwork, LoginCounter
from accounts.models.mail import Mail, MailAddress
from accounts.models.second_factor import RecoveryCode, TotpDevice
from accounts.models.session import Session
from accounts.models.usage import UsageDay
from accounts.models.user import User, UserManager

__all__ = [
    "ActingAs",
    "AuditAction",
    "AuditEntry",
    "CounterKind",
    "CreditEntry",
    "EntryKind",
    "Handover",
    "KnownNetwork",
    "LoginCounter",
    "Mail",
    "MailAddress",
    "RecoveryCode",
    "Session",
    "TotpDevice",
    "UsageDay",
    "User",
    "UserGroup",
    "UserManager",
]
