"""Which engine makes a batch: an administrator's rules."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import UserGroup


class EngineRule(models.Model):
    """One rule. The first that fits a batch decides (`videos.services.routing`); if none does, the
    installation's own engine makes it. A rule that offers its engine fits only batches that choose it.
    """

    class Prompt(models.TextChoices):
        ANY = "any", _("with or without a prompt")
        WITH = "with", _("with a prompt")
        WITHOUT = "without", _("without a prompt")

    id = models.BigAutoField(primary_key=True)
    position = models.PositiveSmallIntegerField(
        _("position"), default=10, help_text=_("Rules are looked at in this order.")
    )
    enabled = models.BooleanField(_("in force"), default=True)
    engine = models.CharField(_("engine"), max_length=64)
    fallbacks = models.CharField(
        _("fall back to"),
        max_length=400,
        blank=True,
        help_text=_(
            "Engines, separated by commas, that make what waits when nobody can work with this one; "
            "the price stays as it was charged."
        ),
    )
    offered = models.BooleanField(
        _("offered"),
        default=False,
        help_text=_("Users may choose the engine in the form. The rule then fits only batches that do."),
    )
    group = models.ForeignKey(
        UserGroup,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user group"),
        help_text=_("Empty: everybody."),
    )
    min_audio_s = models.FloatField(
        _("shortest recording (s)"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    max_audio_s = models.FloatField(
        _("longest recording (s)"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    prompt = models.CharField(_("prompt"), max_length=8, choices=Prompt.choices, default=Prompt.ANY)

    class Meta:
        db_table = "engine_rules"
        verbose_name = _("engine rule")
        verbose_name_plural = _("engine rules")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(min_audio_s__isnull=True)
                | Q(max_audio_s__isnull=True)
                | Q(min_audio_s__lte=F("max_audio_s")),
                name="rule_lengths_in_order",
                violation_error_message=_("The shortest recording is longer than the longest."),
            ),
            models.CheckConstraint(condition=~Q(engine=""), name="rule_has_an_engine"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.engine}"

    @property
    def engines(self) -> list[str]:
        """Its engine and those to fall back to, each once."""
        names = [self.engine, *(name.strip() for name in self.fallbacks.split(","))]
        return list(dict.fromkeys(name for name in names if name))
