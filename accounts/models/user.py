"""The user."""

import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models.group import UserGroup
from accounts.models.user_names import MAX_KEY_LENGTH, UsernameKeyField, username_key


class UserManager(BaseUserManager["User"]):
    """Finds users by name, however it is spelt. Users are made by `accounts.services.users`."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username_key=username_key(username or ""))

    def named(self, username: str) -> "User | None":
        """The user of this name, or None."""
        return self.filter(username_key=username_key(username)).first()


class User(AbstractBaseUser):
    """Somebody who makes videos, or who runs the place (`is_admin`).

    `credits` is the cached balance of the ledger; only `accounts.services.credits` changes it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(
        _("username"),
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": _("A user with that name already exists.")},
    )
    username_key = UsernameKeyField(
        max_length=MAX_KEY_LENGTH,
        unique=True,
        editable=False,
        error_messages={"unique": _("A user with that name already exists.")},
    )
    password = models.CharField(_("password"), max_length=255, db_column="password_hash")
    credits = models.BigIntegerField(_("credits"), default=0, editable=False)
    is_admin = models.BooleanField(_("administrator"), default=False)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive users cannot log in; their data stays.")
    )
    group = models.ForeignKey(
        UserGroup,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name=_("group"),
        help_text=_("Empty: the settings of the installation."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    """Raised when every session ends; those of the admin site are good for one epoch."""

    USERNAME_FIELD = "username"
    objects = UserManager()

    class Meta:
        db_table = "users"
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(credits__gte=0), name="credits_not_negative"),
        ]
        indexes = [
            # administrators' list: its orders and its filters
            models.Index(fields=["-created_at", "-id"], name="users_newest"),
            models.Index(fields=["credits", "id"], name="users_by_credits"),
            models.Index(
                fields=["-created_at", "-id"], condition=models.Q(is_admin=True), name="users_administrators"
            ),
            models.Index(
                fields=["-created_at", "-id"], condition=models.Q(is_active=False), name="users_inactive"
            ),
        ]

    @property
    def is_staff(self) -> bool:
        """Django's name for who may enter the admin site."""
        return self.is_admin

    @property
    def is_superuser(self) -> bool:
        return self.is_admin

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_admin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_admin

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session of the admin site has to match; Django compares it with every request."""
        value = f"{self.password}:{self.session_epoch}"
        return salted_hmac("accounts.session", value, secret=secret, algorithm="sha256").hexdigest()
