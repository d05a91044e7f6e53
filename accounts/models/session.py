"""Logged-in sessions of API clients."""

import uuid

from django.db import models
from django.utils import timezone

from accounts.models.user import User


class Session(models.Model):
    """One login. Access and refresh tokens name their session and die with it.

    `refresh_jti` is the one refresh token that is still good: using it puts another in its place.
    `previous_jti` is the one before it; whoever used that (`refreshed_by`, a digest of the client) is given
    the same answer again for some seconds, because tabs race and answers get lost.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    refresh_jti = models.CharField(max_length=64)
    previous_jti = models.CharField(max_length=64, blank=True, default="")
    refreshed_by = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    refreshed_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sessions"
        indexes = [
            # ending every session of a user
            models.Index(fields=["user"], condition=models.Q(revoked_at=None), name="sessions_live_by_user"),
            models.Index(fields=["expires_at"], name="sessions_expiry"),  # the sweep's deletion
        ]

    def __str__(self) -> str:
        return str(self.id)
