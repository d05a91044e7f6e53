"""Records shared by every part of the API."""

import uuid
from datetime import UTC, datetime

from django.conf import settings
from django.db import models

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class IdempotencyRecord(models.Model):
    """One `Idempotency-Key` of one user: what was asked, and the answer once there is one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the operation and its content.")
    status_code = models.PositiveSmallIntegerField(null=True, help_text="Null while in flight.")
    body = models.JSONField(null=True)
    owner = models.UUIDField(null=True, help_text="Which attempt at the work; not the user.")
    alive_until = models.DateTimeField(
        default=NEVER, help_text="While in flight: not renewed until then, it is nobody's any more."
    )
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_records"
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="one_record_per_user_and_key"),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="idempotency_expiry"),  # the sweep's deletion
        ]

    def __str__(self) -> str:
        return self.key
