"""Passing a web session on to the administration site, once."""

from django.db import models

from accounts.models.session import Session


class Handover(models.Model):
    """A code that opens the administration site once, for whoever's session it was made from.

    Only a digest is kept, so neither the table nor a backup opens anything. Good until `expires_at`,
    by the database's clock, and only while the session it came from lives.
    """

    code_hash = models.CharField(max_length=64, primary_key=True)
    session = models.ForeignKey(Session, models.CASCADE, related_name="handovers")
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "handovers"
        indexes = [models.Index(fields=["expires_at"], name="handovers_expiry")]  # the sweep's deletion

    def __str__(self) -> str:
        return str(self.session_id)
