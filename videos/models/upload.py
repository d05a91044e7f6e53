"""A file that a client sends to the store ahead of the batch it is for."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class UploadStatus(models.TextChoices):
    """How far an upload is."""

    OPEN = "open", _("Uploading")
    READY = "ready", _("Uploaded")
    USED = "used", _("Used")


class Upload(models.Model):
    """One announced file; the row's id is the key that clients name it by.

    While OPEN its parts may arrive. READY means that it arrived whole and that `seal` binds it to these
    bytes: whatever is read later must be them. USED means that a batch took it, which happens once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="uploads")
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField(help_text=_("Bytes."))
    content_type = models.CharField(max_length=100)
    part_size = models.PositiveIntegerField(help_text=_("Bytes of every part but the last."))
    status = models.CharField(max_length=16, choices=UploadStatus.choices, default=UploadStatus.OPEN)
    store_id = models.CharField(
        max_length=1024, blank=True, help_text=_("The store's own name for an upload in parts.")
    )
    seal = models.CharField(max_length=128, blank=True, help_text=_("What the store says of the whole file."))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "uploads"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=UploadStatus.values), name="upload_status_known"),
            models.CheckConstraint(condition=Q(size__gte=1, part_size__gte=1), name="upload_has_bytes"),
            models.CheckConstraint(
                condition=Q(status="open", seal="") | (~Q(status="open") & ~Q(seal="")),
                name="whole_upload_is_sealed",
            ),
        ]
        indexes = [
            # the limits on what a user may have open
            models.Index(fields=["user"], condition=~Q(status="used"), name="uploads_unused_of_user"),
            models.Index(fields=["expires_at"], name="uploads_by_expiry"),  # the hourly cleaning
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def part_count(self) -> int:
        return -(-self.size // self.part_size)

    def part_bytes(self, number: int) -> int:
        """Size of a part; they are numbered from 1."""
        return min(self.part_size, self.size - (number - 1) * self.part_size)
