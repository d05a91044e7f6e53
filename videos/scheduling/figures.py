"""Figures of the queue for clients, administrators and monitoring: read from the lanes, never from items."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Min, OuterRef, Q, QuerySet, Subquery, Sum

from videos.models import ItemStatus, QueueLane, VideoItem, Worker
from zhiying.kernel.clock import database_now

ALIVE_FOR = timedelta(seconds=20)
"""A worker that was not seen for longer counts as gone; it tells that it lives every 5 s."""
FORGOTTEN_AFTER = timedelta(days=1)


def queue_lengths() -> dict[str, int]:
    """How many items wait and how many are rendered now."""
    busy = QueueLane.objects.filter(Q(waiting__gt=0) | Q(running__gt=0))
    sums = busy.aggregate(pending=Sum("waiting", default=0), processing=Sum("running", default=0))
    return {"pending": sums["pending"], "processing": sums["processing"]}


@dataclass(frozen=True)
class EngineQueue:
    """What waits for and runs on one engine, named as lanes name it."""

    engine: str
    pending: int
    processing: int
    oldest_s: float
    """How long ago the item that waits longest could have been taken."""

    def __add__(self, other: "EngineQueue") -> "EngineQueue":
        """The lanes of both, which are one engine's."""
        return EngineQueue(
            self.engine,
            self.pending + other.pending,
            self.processing + other.processing,
            max(self.oldest_s, other.oldest_s),
        )


def queues_by_engine() -> list[EngineQueue]:
    """One query: the lanes that are not empty, and for each an entry of the index `items_of_lane`."""
    waiting = VideoItem.objects.filter(lane=OuterRef("pk"), status=ItemStatus.PENDING)
    first = Subquery(waiting.order_by("not_before").values("not_before")[:1])
    busy = QueueLane.objects.filter(Q(waiting__gt=0) | Q(running__gt=0))
    rows = busy.values("engine").annotate(
        pending=Sum("waiting"), processing=Sum("running"), oldest=Min(first), now=Min(database_now())
    )
    return [
        EngineQueue(
            row["engine"],
            row["pending"],
            row["processing"],
            max(0.0, (row["now"] - row["oldest"]).total_seconds()) if row["oldest"] else 0.0,
        )
        for row in rows.order_by()
    ]


def forget_dead_workers() -> int:
    """Remove the rows of workers that were not seen for a day; returns how many."""
    return Worker.objects.filter(seen_at__lt=database_now(-FORGOTTEN_AFTER)).delete()[0]


def living_workers() -> "QuerySet[Worker]":
    """The workers that were seen lately."""
    return Worker.objects.filter(seen_at__gte=database_now(-ALIVE_FOR)).order_by("name")


def places_of(workers: Collection[Worker]) -> int:
    """Renders and jobs that these can do at once, together.

    Each process tells what it could do alone; a remote engine's limit is that of the whole installation.
    """
    places = sum(worker.slots for worker in workers)
    for name in {name for worker in workers for name in worker.engines}:
        facts = [worker.engines[name] for worker in workers if name in worker.engines]
        limits = [
            found["max_concurrent"]
            for found in (fact.get("capabilities") or {} for fact in facts)
            if found.get("kind") == "remote" and found.get("max_concurrent")
        ]
        if limits:
            places -= max(0, sum(fact.get("slots", 0) for fact in facts) - max(limits))
    return places
