"""Figures of the queue for clients, administrators and monitoring: read from the lanes, never from items."""

from datetime import timedelta

from django.db.models import Q, QuerySet, Sum

from videos.models import QueueLane, Worker
from zhiying.kernel.clock import database_now

ALIVE_FOR = timedelta(seconds=20)
"""A worker that was not seen for longer counts as gone; it tells that it lives every 5 s."""
FORGOTTEN_AFTER = timedelta(days=1)


def queue_lengths() -> dict[str, int]:
    """How many items wait and how many are rendered now."""
    busy = QueueLane.objects.filter(Q(waiting__gt=0) | Q(running__gt=0))
    sums = busy.aggregate(pending=Sum("waiting", default=0), processing=Sum("running", default=0))
    return {"pending": sums["pending"], "processing": sums["processing"]}


def forget_dead_workers() -> int:
    """Remove the rows of workers that were not seen for a day; returns how many."""
    return Worker.objects.filter(seen_at__lt=database_now(-FORGOTTEN_AFTER)).delete()[0]


def living_workers() -> "QuerySet[Worker]":
    """The workers that were seen lately."""
    return Worker.objects.filter(seen_at__gte=database_now(-ALIVE_FOR)).order_by("name")
