"""A batch: many portraits, one recording."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class BatchStatus(models.TextChoices):
    """What a batch's items add up to."""

    PENDING = "pending", _("Waiting")
    PROCESSING = "processing", _("In progress")
    COMPLETED = "completed", _("Completed")
    PARTIAL = "partial", _("Partly completed")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


COUNTED = ("pending", "processing", "completed", "failed", "cancelled")
"""The statuses of items that a batch counts."""
OPEN_STATUSES = (BatchStatus.PENDING, BatchStatus.PROCESSING)
"""Something of the batch waits or is rendered."""


class Batch(models.Model):
    """One submission.

    `status`, `credits_used` and the counts of items by status are derived from the items and kept, with
    `version`, by `videos.services.transitions`, under the lock of the batch.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="batches", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=200)
    prompt = models.TextField(_("prompt"), blank=True)
    audio = models.CharField(
        _("audio"), max_length=200, db_column="audio_url", help_text=_("Storage key of the normalised WAV.")
    )
    audio_name = models.CharField(_("audio file"), max_length=255)
    audio_duration_s = models.FloatField(_("audio duration (s)"))
    image_count = models.PositiveSmallIntegerField(_("images"))
    status = models.CharField(
        _("status"), max_length=16, choices=BatchStatus.choices, default=BatchStatus.PENDING
    )
    engine = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Of the lane in which its items wait, or waited last.",
    )
    engine_label = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="As people call the engine."
    )
    route = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="The engines it was sent to, the first and those to fall back to; empty: the own.",
    )
    fallbacks = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="Those of them that are left.",
    )
    version = models.BigIntegerField(default=1, help_text="Raised by every change that a client can see.")
    pending_count = models.PositiveSmallIntegerField(default=0)
    processing_count = models.PositiveSmallIntegerField(default=0)
    completed_count = models.PositiveSmallIntegerField(default=0)
    failed_count = models.PositiveSmallIntegerField(default=0)
    cancelled_count = models.PositiveSmallIntegerField(default=0)
    credits_used = models.PositiveIntegerField(
        _("credits used"), default=0, db_default=0, help_text=_("Net of refunds; deleted videos included.")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    stored_bytes = models.BigIntegerField(default=0, help_text="Of all its files together.")
    expires_at = models.DateTimeField(
        _("files removed from"),
        null=True,
        help_text=_("Its files are removed then, once nothing of it is open."),
    )
    files_removed_at = models.DateTimeField(_("files removed at"), null=True)

    class Meta:
        db_table = "batches"
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=BatchStatus.values), name="batch_status_known"
            ),
            models.CheckConstraint(condition=models.Q(image_count__gte=1), name="batch_has_images"),
            models.CheckConstraint(
                condition=models.Q(
                    image_count=models.F("pending_count")
                    + models.F("processing_count")
                    + models.F("completed_count")
                    + models.F("failed_count")
                    + models.F("cancelled_count")
                ),
                name="batch_counts_its_images",
            ),
        ]
        indexes = [
            # the retention's next, and those it has not looked at yet
            models.Index(
                fields=["expires_at"],
                condition=models.Q(files_removed_at=None, expires_at__isnull=False),
                name="batches_expiring",
            ),
            models.Index(
                fields=["created_at"],
                condition=models.Q(files_removed_at=None, expires_at=None),
                name="batches_without_expiry",
            ),
            # what waits before a batch, in its user's own lane
            models.Index(
                fields=["user", "-created_at"],
                condition=models.Q(pending_count__gt=0),
                name="batches_waiting",
            ),
            # what can go to another engine when its own is away
            models.Index(
                fields=["engine"],
                condition=models.Q(pending_count__gt=0) & ~models.Q(fallbacks=""),
                name="batches_with_fallback",
            ),
            models.Index(fields=["user", "-created_at", "-id"], name="batches_of_user"),  # a user's list
            models.Index(fields=["user", "status", "-created_at", "-id"], name="batches_of_user_by_status"),
            # administrators' list: its orders and its filter
            models.Index(fields=["-created_at", "-id"], name="batches_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="batches_by_status"),
            models.Index(fields=["image_count", "id"], name="batches_by_size"),
            models.Index(fields=["name", "id"], name="batches_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def counts(self) -> dict[str, int]:
        """Items by status."""
        return {status: getattr(self, f"{status}_count") for status in COUNTED}

    @property
    def folder(self) -> str:
        """Storage prefix of everything that belongs to the batch."""
        return f"batches/{self.pk}"

    @property
    def files_removed(self) -> bool:
        """Its retention period is over: rows without files."""
        return self.files_removed_at is not None
