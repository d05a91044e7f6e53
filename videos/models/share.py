"""A link by which whoever has it watches finished videos, without an account."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from videos.models.batch import Batch
from videos.models.item import VideoItem


class Share(models.Model):
    """Opens a batch, or one video of it, until it expires or is revoked. It goes with what it shows.

    Only a digest of the token is kept, so neither the table nor a backup opens anything.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, unique=True)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="shares")
    item = models.ForeignKey(VideoItem, models.CASCADE, null=True, related_name="+")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "shares"
        indexes = [models.Index(fields=["expires_at"], name="shares_expiry")]  # the sweep's deletion

    def __str__(self) -> str:
        return str(self.id)
