"""How many files a user had decoded without paying."""

from django.conf import settings
from django.db import models


class CheckBudget(models.Model):
    """A user's images of this hour that were decoded for a dry run or a submission that failed.

    A row in the database, because the limit is one for all web processes.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    hour = models.DateTimeField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "check_budgets"

    def __str__(self) -> str:
        return f"{self.user_id} {self.used}"
