"""A job at an engine's server: what keeps a video from being generated, and paid, twice."""

import uuid

from django.db import models
from django.db.models import Q


class RemoteJob(models.Model):
    """One attempt at an item, made elsewhere. Written before anything is sent, removed when nothing is left
    to do at the server; changed by `videos.services.remote_jobs` alone.

    `id` is ours and goes to servers that take one; `their_id` is theirs. Whoever is `carrier` looks after it
    until `carried_until`; after that anybody may go on, under a new attempt. There is no foreign key: a job
    outlives its item, because it has to be cancelled at the server.
    """

    class State(models.TextChoices):
        INTENT = "intent"
        """It may have been sent: nobody has heard the server's answer yet."""
        SENT = "sent"
        CANCEL = "cancel"
        """Nobody wants its result any more: it is to be cancelled at the server."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    engine = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State.choices, default=State.INTENT)
    their_id = models.CharField(max_length=300, blank=True)

    item_id = models.UUIDField()
    batch_id = models.UUIDField()
    user_id = models.UUIDField()
    lane_id = models.BigIntegerField(null=True)
    lane_engine = models.CharField(max_length=64, blank=True)
    run = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    tries = models.PositiveSmallIntegerField()

    carrier = models.UUIDField()
    carried_until = models.DateTimeField()
    troubles = models.PositiveSmallIntegerField(default=0, help_text="In a row, at its present step.")
    unfinished = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often its result was fetched and could not be made ours."
    )
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="It is given up then.")

    class Meta:
        db_table = "remote_jobs"
        constraints = [
            models.CheckConstraint(condition=~Q(state="sent") | ~Q(their_id=""), name="sent_job_has_their_id")
        ]
        indexes = [
            models.Index(fields=["engine", "carried_until"], name="remote_jobs_left"),  # adoption
            models.Index(fields=["carrier"], name="remote_jobs_carried"),  # the carrier's lease
            models.Index(fields=["item_id", "attempt"], name="remote_jobs_of_item"),  # the sweep's exception
        ]

    def __str__(self) -> str:
        return f"{self.engine} {self.id} ({self.state})"
