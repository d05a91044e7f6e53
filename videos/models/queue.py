"""What the queue remembers beside the items themselves."""

from django.conf import settings
from django.db import models


class QueueState(models.Model):
    """A single row. Locking it makes claims take turns; its times make workers share the sweep."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    swept_at = models.DateTimeField(null=True)
    cleaned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "queue_state"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="queue_state_is_one_row")]

    def __str__(self) -> str:
        return "queue"


class QueueTurn(models.Model):
    """When a user was last served, for fairness between users."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    served_at = models.DateTimeField()

    class Meta:
        db_table = "queue_turns"

    def __str__(self) -> str:
        return str(self.user_id)
