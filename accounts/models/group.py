"""User groups: what an operator grants to many users at once."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

MAX_QUEUE_WEIGHT = 10_000
MAX_RETENTION_DAYS = 36_500
"""A hundred years. Beyond some thousands of them there is no day that could be told."""
MAX_QUOTA_MB = 1_000_000_000
"""What is computed from it fits everywhere, in the numbers of browsers too."""


class UserGroup(models.Model):
    """A kind of customer. A user without a group has the installation's own settings."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    queue_weight = models.PositiveSmallIntegerField(
        _("queue weight"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_QUEUE_WEIGHT)],
        help_text=_("Renders at once for each that somebody of weight 1 gets, when all wait."),
    )
    retention_days = models.PositiveIntegerField(
        _("retention (days)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_RETENTION_DAYS)],
        help_text=_("Days after which files are removed; empty: as RETENTION_DAYS."),
    )
    quota_mb = models.PositiveIntegerField(
        _("quota (MB)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_QUOTA_MB)],
        help_text=_("Stored megabytes of one user; empty: as QUOTA_MB."),
    )

    class Meta:
        db_table = "user_groups"
        verbose_name = _("user group")
        verbose_name_plural = _("user groups")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(queue_weight__gte=1), name="queue_weight_positive"),
        ]

    def __str__(self) -> str:
        return self.name
