"""What the database knows of the store beside the keys in batches and items."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Installation(models.Model):
    """A single row: who the files in the store belong to. The store holds the same id."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    uuid = models.UUIDField(default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "installation"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="installation_is_one_row")]

    def __str__(self) -> str:
        return str(self.uuid)


class DeletionReason(models.TextChoices):
    """Why files are on the list."""

    CREATION = "creation", _("Batch not accepted")
    REPLACEMENT = "replacement", _("Image replaced, or not accepted")
    ATTEMPT = "attempt", _("Attempt without a result")
    BATCH = "batch", _("Batch deleted")
    VIDEO = "video", _("Video deleted")
    RETENTION = "retention", _("Retention period over")
    UPLOAD = "upload", _("Upload abandoned")
    ORPHAN = "orphan", _("Belongs to nothing")


class FileDeletion(models.Model):
    """Files that are to be removed from the store, or will be unless somebody takes them before `due_at`.

    Whoever stores files writes the row first, and takes it away in the transaction that makes a row point to
    them; so whatever crashes, nothing is left for ever. `videos.store.deletions` is the only writer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    path = models.CharField(max_length=300, help_text=_("A key; or, with a slash at its end, all below it."))
    reason = models.CharField(_("reason"), max_length=16, choices=DeletionReason.choices)
    due_at = models.DateTimeField(_("due at"))
    begun_at = models.DateTimeField(
        null=True, help_text=_("From then on nobody can take the files any more.")
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        db_table = "file_deletions"
        verbose_name = _("file to be deleted")
        verbose_name_plural = _("files to be deleted")
        ordering = ["due_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=DeletionReason.values), name="deletion_reason_known"
            ),
            models.CheckConstraint(
                condition=Q(path__startswith="batches/") | Q(path__startswith="uploads/"),
                name="deletion_path_has_owner",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="deletions_by_due")]  # the removal's next

    def __str__(self) -> str:
        return self.path


class StoredBytes(models.Model):
    """How much a user has stored: the sum over their batches, kept in the same transactions."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    bytes = models.BigIntegerField(default=0)

    class Meta:
        db_table = "stored_bytes"
        indexes = [models.Index(fields=["-bytes"], name="stored_bytes_largest")]  # administrators' figures

    def __str__(self) -> str:
        return f"{self.user_id}: {self.bytes}"
