"""What engines show to their servers."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class EngineCredential(models.Model):
    """The credential of one engine. `secret` is encrypted with a key that is not in the database."""

    engine = models.CharField(_("engine"), max_length=64, primary_key=True)
    secret = models.TextField(editable=False)
    set_at = models.DateTimeField(_("set at"))
    set_by = models.CharField(
        _("set by"), max_length=150, blank=True, help_text=_("A user, or the name of a command.")
    )

    class Meta:
        db_table = "engine_credentials"
        verbose_name = _("engine credential")
        verbose_name_plural = _("engine credentials")
        ordering = ["engine"]
        constraints = [models.CheckConstraint(condition=~Q(secret=""), name="engine_credential_not_empty")]

    def __str__(self) -> str:
        return self.engine


class CredentialUse(models.Model):
    """What an engine's server said of the credential when it was last shown one.

    `fingerprint` tells which one that was, by a keyed digest: an answer to an earlier one says nothing of
    today's, and nothing has to be reset when it is changed, here or in the environment.
    """

    class Verdict(models.TextChoices):
        UNKNOWN = "unknown", _("not used yet")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")

    engine = models.CharField(max_length=64, primary_key=True)
    fingerprint = models.CharField(max_length=64)
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    said_at = models.DateTimeField()

    class Meta:
        db_table = "engine_credential_uses"
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=["accepted", "refused"]), name="credential_verdict_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.engine}: {self.verdict}"
