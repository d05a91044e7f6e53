"""What the queue remembers beside the items themselves."""

from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class QueueState(models.Model):
    """A single row. Its times make workers share the sweep; its sums are of all engines, from before."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    swept_at = models.DateTimeField(null=True)
    cleaned_at = models.DateTimeField(null=True)
    render_s = models.FloatField(default=0, help_text="As of an engine, from before they were told apart.")
    audio_s = models.FloatField(default=0)

    class Meta:
        db_table = "queue_state"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="queue_state_is_one_row")]

    def __str__(self) -> str:
        return "queue"


class QueueLane(models.Model):
    """Where one user's items wait, and how many of them wait and run: what a claim looks at.

    The counters change in the transactions that change the items (`videos.services.transitions`). An
    administrator can move items into the user's urgent lane. `engine` is empty for the installation's
    own choice. `load` is `running / weight`: whoever has the least is served next.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    engine = models.CharField(max_length=64, blank=True, default="")
    urgent = models.BooleanField(default=False)
    weight = models.PositiveSmallIntegerField(default=1)
    waiting = models.PositiveIntegerField(default=0)
    running = models.PositiveIntegerField(default=0)
    load = models.FloatField(default=0)
    served_at = models.DateTimeField(default=NEVER)

    class Meta:
        db_table = "queue_lanes"
        constraints = [
            models.UniqueConstraint(fields=["user", "engine", "urgent"], name="one_lane_per_user_and_kind"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="lane_weight_positive"),
            models.CheckConstraint(condition=Q(waiting__gte=0), name="lane_waiting_not_negative"),
            models.CheckConstraint(condition=Q(running__gte=0), name="lane_running_not_negative"),
        ]
        indexes = [
            # the claim: whose turn it is
            models.Index(
                fields=["-urgent", "load", "served_at"], condition=Q(waiting__gt=0), name="lanes_by_turn"
            ),
            # an engine's limit, and the figures of the queue
            models.Index(fields=["engine"], condition=Q(running__gt=0), name="lanes_running"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.waiting} waiting, {self.running} running"


class EngineRecord(models.Model):
    """What is remembered of an engine: how fast it is, and since when nobody can work with it."""

    engine = models.CharField(max_length=64, primary_key=True)
    render_s = models.FloatField(default=0, help_text="Seconds of rendering, older results fading.")
    audio_s = models.FloatField(default=0, help_text="Seconds of audio they were rendered for.")
    down_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "engine_records"

    def __str__(self) -> str:
        return self.engine


class EngineLimit(models.Model):
    """One row for each engine that renders only so many items at once; locking it makes claims take turns.

    `claims` rises with each: a claim that sees it rise has counted what runs too early.
    """

    engine = models.CharField(max_length=64, primary_key=True)
    claims = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "queue_engine_limits"

    def __str__(self) -> str:
        return self.engine


class Worker(models.Model):
    """A worker process that lives, or did lately: what it can do and what it does now."""

    class State(models.TextChoices):
        READY = "ready", _("takes items")
        PAUSED = "paused", _("takes no items")
        STOPPING = "stopping", _("stopping")

    id = models.UUIDField(primary_key=True)
    name = models.CharField(_("name"), max_length=100, help_text=_("Host and process."))
    version = models.CharField(_("version"), max_length=32)
    slots = models.PositiveSmallIntegerField(_("slots"), help_text=_("Renders at once."))
    engines = models.JSONField(default=dict, help_text="Name → capabilities and readiness.")
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.READY)
    trouble = models.CharField(max_length=64, blank=True, help_text="Code of why it is paused.")
    rendering = models.JSONField(default=list, help_text="Ids of the items it renders.")
    started_at = models.DateTimeField(_("started at"))
    seen_at = models.DateTimeField(_("seen at"))

    class Meta:
        db_table = "workers"
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["name"]
        indexes = [models.Index(fields=["seen_at"], name="workers_by_life")]

    def __str__(self) -> str:
        return self.name
