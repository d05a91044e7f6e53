"""The audit log: what was done to what is somebody else's, or to accounts and settings."""

import uuid
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User


class ActingAs(models.TextChoices):
    """In which capacity somebody acted."""

    ADMINISTRATOR = "administrator", _("Administrator")
    OWNER = "owner", _("Owner")
    COMMAND = "command", _("Command")
    SYSTEM = "system", _("System")


class AuditAction(models.TextChoices):
    """What can be done. The field takes any code, so that an action can be added without a migration."""

    BATCH_CREATE = "batch.create", _("Batch created")
    BATCH_RENAME = "batch.rename", _("Batch renamed")
    BATCH_CANCEL = "batch.cancel", _("Batch cancelled")
    BATCH_DELETE = "batch.delete", _("Batch deleted")
    BATCH_RETRY = "batch.retry_failed", _("Failed videos retried")
    BATCH_FIRST = "batch.first", _("Batch put first")
    ITEM_CANCEL = "item.cancel", _("Video cancelled")
    ITEM_RETRY = "item.retry", _("Video retried")
    ITEM_REPLACE = "item.replace", _("Image replaced")
    ITEM_DELETE = "item.delete", _("Video deleted")
    SHARE_CREATE = "share.create", _("Link made")
    SHARE_REVOKE = "share.revoke", _("Link revoked")
    USER_CREATE = "user.create", _("User created")
    USER_ACTIVATE = "user.activate", _("User activated")
    USER_DEACTIVATE = "user.deactivate", _("User deactivated")
    USER_PASSWORD = "user.password", _("Password set")
    USER_SESSIONS_END = "user.sessions_end", _("Sessions ended")
    USER_GROUP = "user.group", _("Group of a user changed")
    USER_SITE_ENTER = "user.site_enter", _("Administration site entered")
    USER_UNLOCK = "user.unlock", _("Login attempts forgotten")
    USER_TOTP_ON = "user.totp_on", _("Second factor set up")
    USER_TOTP_OFF = "user.totp_off", _("Second factor removed")
    GROUP_CREATE = "group.create", _("Group created")
    GROUP_CHANGE = "group.change", _("Group changed")
    GROUP_DELETE = "group.delete", _("Group deleted")
    CREDITS_SET = "credits.set", _("Credits set")
    CREDITS_ADJUST = "credits.adjust", _("Credits adjusted")
    CREDITS_TOPUP = "credits.topup", _("Credits topped up")
    CREDENTIAL_SET = "credential.set", _("Credential of an engine set")
    RULE_CREATE = "rule.create", _("Engine rule made")
    RULE_CHANGE = "rule.change", _("Engine rule changed")
    RULE_DELETE = "rule.delete", _("Engine rule deleted")
    CREDENTIAL_REMOVE = "credential.remove", _("Credential of an engine removed")
    STORE_ADOPT = "store.adopt", _("Store taken over")
    STORE_ORPHANS = "store.orphans", _("Unneeded files removed")
    SECRETS_REENCRYPT = "secrets.reencrypt", _("Secrets encrypted anew")
    USAGE_REBUILD = "usage.rebuild", _("Usage computed again")


class AuditEntry(models.Model):
    """One act, written in its own transaction. Never changed, never deleted: the database refuses both.

    `number` gives the order. Names are kept as they were; neither targets nor people
    are held by a foreign key, because the log outlives them. `details` holds plain values, never a secret.
    """

    number = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.ForeignKey(
        User,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("who"),
    )
    actor_name = models.CharField(
        _("who"), max_length=150, blank=True, help_text=_("A user, or the name of a command.")
    )
    acting_as = models.CharField(_("as"), max_length=16, choices=ActingAs.choices)
    action = models.CharField(_("action"), max_length=64)
    target_kind = models.CharField(_("kind of target"), max_length=32)
    target_id = models.CharField(_("id of the target"), max_length=64)
    target_name = models.CharField(_("target"), max_length=300, blank=True)
    owner = models.ForeignKey(
        User,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("owner"),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    details = models.JSONField(_("details"), default=dict, encoder=DjangoJSONEncoder)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    client_address = models.GenericIPAddressField(_("address"), null=True)
    actor_key = models.CharField(max_length=150, blank=True, db_index=True, editable=False)
    target_key = models.CharField(max_length=300, blank=True, db_index=True, editable=False)
    """The names as they are searched for: case-folded, by their beginning."""

    class Meta:
        db_table = "audit_entries"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(acting_as__in=ActingAs.values), name="audit_acting_as_known"
            ),
            models.CheckConstraint(  # whoever acts as a person is one
                condition=models.Q(acting_as__in=["administrator", "owner"], actor__isnull=False)
                | models.Q(acting_as__in=["command", "system"], actor__isnull=True),
                name="audit_person_has_actor",
            ),
        ]
        indexes = [  # one for each filter that is offered, in the order of the list
            models.Index(fields=["actor", "-number"], name="audit_by_actor"),
            models.Index(fields=["owner", "-number"], name="audit_by_owner"),
            models.Index(fields=["action", "-number"], name="audit_by_action"),
            models.Index(fields=["target_id", "-number"], name="audit_by_target"),
            models.Index(fields=["created_at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Audit entries are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Audit entries are never deleted.")

    @property
    def action_label(self) -> str:
        """The action in words; its code where there are none."""
        return str(AuditAction(self.action).label) if self.action in AuditAction.values else self.action
