"""The credit ledger."""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User


class EntryKind(models.TextChoices):
    """Why credits moved."""

    GRANT = "grant", _("Signup grant")
    TOPUP = "topup", _("Top-up")
    SET = "set", _("Set by administrator")
    ADJUST = "adjust", _("Adjusted by administrator")
    CHARGE = "charge", _("Charge")
    REFUND = "refund", _("Refund")


class CreditEntry(models.Model):
    """One movement of credits. Never changed, never deleted: the database refuses both.

    `number` gives the order in which entries were made (a user's entries are made one at a time, under
    the lock of their user row). `operation_key` names the operation, so that it cannot happen twice.
    Batches and items are named without a foreign key, because the ledger outlives them.
    """

    repeated = False
    """Set on what a service gives back: it found the entry instead of making it."""

    number = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="entries", verbose_name=_("user"))
    kind = models.CharField(_("kind"), max_length=16, choices=EntryKind.choices)
    amount = models.BigIntegerField(_("amount"), help_text=_("Signed: charges are negative."))
    balance_after = models.BigIntegerField(_("balance after"))
    operation_key = models.CharField(_("operation key"), max_length=300, unique=True)
    batch_id = models.UUIDField(_("batch"), null=True)
    item_id = models.UUIDField(_("item"), null=True)
    actor = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("administrator")
    )
    note = models.CharField(_("note"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        db_table = "credit_entries"
        verbose_name = _("credit entry")
        verbose_name_plural = _("credit entries")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=EntryKind.values), name="credit_entry_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(balance_after__gte=0), name="balance_after_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="charge", amount__lt=0)
                | models.Q(kind__in=["refund", "topup"], amount__gt=0)
                | models.Q(kind__in=["grant", "set", "adjust"]),
                name="credit_entry_sign_fits_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-number"], name="entries_of_user_newest"),  # a user's ledger
            models.Index(fields=["user", "kind", "-number"], name="entries_of_user_by_kind"),
            models.Index(fields=["kind", "-number"], name="entries_by_kind"),  # everybody's, by kind
            models.Index(fields=["created_at"], name="entries_by_time"),  # where a day begins
            models.Index(fields=["batch_id"], name="entries_of_batch"),  # what a batch cost
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount:+d}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Credit entries are never changed; write a correcting entry.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Credit entries are never deleted; write a correcting entry.")
