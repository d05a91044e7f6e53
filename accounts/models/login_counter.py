"""Counts of failed attempts to log in, and the places from which users did log in."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User


class CounterKind(models.TextChoices):
    """What is counted together."""

    PLACE = "place", _("One user from one network")
    USER = "user", _("One user from everywhere")
    NETWORK = "network", _("One network, all users")
    PASSWORD = "password", _("One password, all users")
    INSTALLATION = "installation", _("Everybody")
    CALLS = "calls", _("Calls without a token from one network")


class LoginCounter(models.Model):
    """Attempts of one kind since its window began; worthless after `expires_at`.

    `subject` is a keyed digest of what is counted: what somebody types as a user name may be a password,
    so no input is kept. `user` is set where the name is that of a user.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=CounterKind.choices)
    subject = models.CharField(max_length=64)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+", verbose_name=_("user"))
    network = models.CharField(_("network"), max_length=64, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    attempted_at = models.DateTimeField(_("latest attempt"), default=timezone.now)
    expires_at = models.DateTimeField(_("counts until"))

    class Meta:
        db_table = "login_counters"
        verbose_name = _("failed log-ins")
        verbose_name_plural = _("failed log-ins")
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="login_counter_subject"),
            models.CheckConstraint(
                condition=models.Q(kind__in=CounterKind.values), name="login_counter_kind_known"
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="login_counters_expiry"),  # the sweep's deletion
            models.Index(
                fields=["-attempted_at", "id"], name="login_counters_newest"
            ),  # administrators' list
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.attempts}"


class KnownNetwork(models.Model):
    """A network from which a user logged in or was logged in lately."""

    user = models.ForeignKey(User, models.CASCADE, related_name="known_networks")
    network = models.CharField(max_length=64)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "known_networks"
        constraints = [
            models.UniqueConstraint(fields=["user", "network"], name="known_network_of_user"),
        ]
        indexes = [models.Index(fields=["seen_at"], name="known_networks_age")]  # the sweep's deletion

    def __str__(self) -> str:
        return self.network
