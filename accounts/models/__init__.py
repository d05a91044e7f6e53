"""Rows of users, their sessions and their credits."""

from accounts.models.credit_entry import CreditEntry, EntryKind
from accounts.models.group import UserGroup
from accounts.models.session import Session
from accounts.models.usage import UsageDay
from accounts.models.user import User, UserManager

__all__ = ["CreditEntry", "EntryKind", "Session", "UsageDay", "User", "UserGroup", "UserManager"]
