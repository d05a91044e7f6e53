"""Where users want to be written to, and the letters that wait to be sent."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class MailAddress(models.Model):
    """A user's address. Nothing but the request to confirm it is sent there before `confirmed_at`.

    A row whose address was taken back stays without one: it knows when the user last had a letter sent.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="mail_address"
    )
    address = models.EmailField(blank=True)
    language = models.CharField(max_length=16)
    when_done = models.BooleanField(default=False, help_text="Write when a batch has ended.")
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "mail_addresses"

    def __str__(self) -> str:
        return str(self.user_id)


class Mail(models.Model):
    """A letter to a user, written with the change that it tells of and removed when it has been sent.

    `template` and `params` make its text when it is sent, in the language of the address.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    template = models.CharField(max_length=100)
    params = models.JSONField(default=dict)
    tries = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "mails"
        indexes = [models.Index(fields=["not_before"], name="mails_due")]

    def __str__(self) -> str:
        return f"{self.template} {self.pk}"
