"""A video item: one portrait of a batch and the video made of it."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from videos.models.batch import Batch
from videos.models.queue import QueueLane
from zhiying.kernel.tracing import MAX_PARENT_LENGTH


class ItemStatus(models.TextChoices):
    """Where an item is on its way."""

    PENDING = "pending", _("Waiting")
    PROCESSING = "processing", _("Rendering")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


FINAL_STATUSES = (ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.CANCELLED)


class VideoItem(models.Model):
    """One image of a batch. Its status is changed by `videos.services.transitions` alone.

    `run` counts what the user paid for: the first time is run 1, each retry another; `price` is what this run
    was charged, and what is given back if it does not complete. `attempt` counts
    claims over all runs and is the fencing token: a worker may finish only the attempt it claimed.
    `tries` counts attempts of this run that ended without a verdict (crash, engine unreachable).
    File fields hold storage keys.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="items", verbose_name=_("batch"))
    position = models.PositiveSmallIntegerField(_("position"))
    original_name = models.CharField(_("image file"), max_length=255)
    source_image = models.CharField(max_length=200, db_column="source_image_url")
    thumbnail = models.CharField(max_length=200)
    width = models.PositiveIntegerField(help_text=_("Pixels of the upright source image."))
    height = models.PositiveIntegerField()

    status = models.CharField(
        _("status"), max_length=16, choices=ItemStatus.choices, default=ItemStatus.PENDING
    )
    error_code = models.CharField(_("error code"), max_length=64, blank=True)
    error_msg = models.TextField(
        _("error"), blank=True, help_text=_("In English; told as it is where the code is not known.")
    )
    error_params = models.JSONField(
        default=dict, blank=True, help_text=_("The values of the sentence that the error code stands for.")
    )
    error_final = models.BooleanField(
        default=False, help_text=_("The same portrait and recording would fail again.")
    )
    progress = models.PositiveSmallIntegerField(_("progress (%)"), default=0)

    video = models.CharField(max_length=200, blank=True, db_column="video_url")
    poster = models.CharField(max_length=200, blank=True)
    source_bytes = models.PositiveBigIntegerField(default=0, help_text="Portrait and thumbnail.")
    video_bytes = models.PositiveBigIntegerField(null=True, help_text="Video and poster.")
    duration_s = models.FloatField(null=True)
    video_width = models.PositiveIntegerField(null=True, help_text="Pixels of the video; null: not known.")
    video_height = models.PositiveIntegerField(null=True)
    made_by = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="The engine that made the video."
    )
    notes = models.JSONField(
        default=list, help_text=_("What the engine has to say about the result: codes with values.")
    )

    lane = models.ForeignKey(
        QueueLane,
        models.SET_NULL,
        null=True,
        db_index=False,
        related_name="+",
        help_text="Where it waits, or waited last.",
    )
    run = models.PositiveIntegerField(default=1)
    price = models.PositiveIntegerField(
        _("price"), default=1, db_default=1, help_text=_("Credits that this run was charged.")
    )
    attempt = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    trace = models.CharField(
        max_length=MAX_PARENT_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text="The span of the request that let it wait.",
    )
    server_position = models.PositiveIntegerField(
        null=True, help_text="In the queue of a remote engine's server, as it said last; 1 is next."
    )
    server_ready_at = models.DateTimeField(null=True, help_text="When that server expects to be done.")
    queued_at = models.DateTimeField()
    not_before = models.DateTimeField(help_text=_("A retry waits until then."))
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "video_items"
        verbose_name = _("video item")
        verbose_name_plural = _("video items")
        ordering = ["batch", "position"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="one_item_per_position"),
            models.CheckConstraint(condition=Q(status__in=ItemStatus.values), name="item_status_known"),
            models.CheckConstraint(condition=Q(progress__lte=100), name="item_progress_is_percent"),
            models.CheckConstraint(condition=Q(price__gte=1), name="item_has_a_price"),
            models.CheckConstraint(
                condition=~Q(status="completed") | ~Q(video=""), name="completed_item_has_video"
            ),
            models.CheckConstraint(
                condition=~Q(status="processing") | Q(lease_until__isnull=False),
                name="processing_item_has_lease",
            ),
            models.CheckConstraint(
                condition=~Q(status="failed") | ~Q(error_code=""), name="failed_item_has_reason"
            ),
        ]
        indexes = [
            # the claim: which item of a lane is next
            models.Index(
                fields=["lane", "not_before", "batch", "position"],
                condition=Q(status="pending"),
                name="items_of_lane",
            ),
            # the sweep's search for expired leases; without the lease, which every heartbeat writes
            models.Index(fields=["id"], condition=Q(status="processing"), name="items_running"),
            # administrators' list, and its filters where they leave little. Not what is processing, which is
            # little at a time: planners would walk what all items left there in passing
            models.Index(fields=["-queued_at", "-id"], name="items_newest"),
            models.Index(
                fields=["status", "-queued_at", "-id"],
                condition=Q(status__in=["pending", "failed", "cancelled"]),
                name="items_by_other_status",
            ),
            models.Index(
                fields=["error_code", "-queued_at", "-id"],
                condition=~Q(error_code=""),
                name="items_by_error",
            ),
            # how long renders take (ETA)
            models.Index(fields=["finished_at"], name="items_by_finish"),
        ]

    def __str__(self) -> str:
        return self.original_name
