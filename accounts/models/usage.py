"""What users made and paid, by day."""

from django.db import models

from accounts.models.user import User


class UsageDay(models.Model):
    """A part of one user's day: whoever wants figures sums them.

    Each event adds a row in its own transaction, which waits for nobody; now and then the rows of a day
    and user are merged into one, and added to the row of all users, which has none
    (`accounts.services.usage`). Unlike batches and items, which can be deleted, this keeps what happened:
    a failure counts even if a retry went well.
    """

    day = models.DateField(help_text="In the platform's time zone.")
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    code = models.CharField(max_length=64, blank=True, help_text="Of the failures.")
    batches = models.PositiveIntegerField(default=0)
    videos = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    charged = models.PositiveBigIntegerField(default=0)
    refunded = models.PositiveBigIntegerField(default=0)
    merged = models.BooleanField(default=False)

    class Meta:
        db_table = "usage_days"
        indexes = [
            models.Index(fields=["day", "user"], name="usage_by_day"),  # figures of a span of days
            models.Index(  # all users together
                fields=["day"], condition=models.Q(user=None), name="usage_of_all_by_day"
            ),
            models.Index(  # what is still to be merged
                fields=["id"], condition=models.Q(merged=False), name="usage_to_merge"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.user_id}"
