"""The second factor of administrators: a shared secret for one-time codes, and codes for when it is lost."""

from django.db import models
from django.utils import timezone

from accounts.models.user import User


class TotpDevice(models.Model):
    """A user's authenticator. Asked for at login once `confirmed_at` is set.

    `secret` is encrypted with a key that is not in the database. `last_step` is the newest time step
    whose code was used: no code works twice.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="totp_device")
    secret = models.TextField()
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "totp_devices"

    def __str__(self) -> str:
        return str(self.pk)


class RecoveryCode(models.Model):
    """A code that stands in for the authenticator once. Only its hash is kept; a used one is deleted."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)

    class Meta:
        db_table = "recovery_codes"
        constraints = [
            models.UniqueConstraint(fields=["user", "code_hash"], name="recovery_code_of_user"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
