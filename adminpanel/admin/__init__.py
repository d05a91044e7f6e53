"""The Django admin site. Importing it registers everything administrators see."""

from adminpanel.admin import batches, items, ledger, login_attempts, users

__all__ = ["batches", "items", "ledger", "login_attempts", "users"]
