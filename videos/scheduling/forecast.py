"""When a batch's turn comes and when it will be done: estimates from the queue as it is now."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from threading import Lock
from typing import Protocol
from uuid import UUID

from django.conf import settings

from videos.models import OPEN_STATUSES, Batch, ItemStatus, VideoItem

RECENT_RESULTS = 30
"""How many of the last results tell how fast items render."""
ASSUMED_RENDER_S_PER_AUDIO_S = 0.3
"""Until there are results to go by."""
SNAPSHOT_S = 1.0
"""How old a snapshot may be."""

_reading = Lock()


class Asked(Protocol):
    """What a forecast needs to know of a batch."""

    @property
    def pk(self) -> UUID: ...
    @property
    def user_id(self) -> UUID: ...
    @property
    def audio_duration_s(self) -> float: ...
    @property
    def pending_count(self) -> int: ...
    @property
    def processing_count(self) -> int: ...


@dataclass(frozen=True)
class Waiting:
    """What waits of one batch."""

    batch_id: UUID
    user_id: UUID
    items: int
    since: datetime


@dataclass(frozen=True)
class Forecast:
    """Estimates for one batch; None where there is nothing to wait for."""

    queue_position: int | None = None
    eta_waiting_s: int | None = None
    eta_rendering_s: int | None = None

    @property
    def eta_s(self) -> int | None:
        if self.eta_waiting_s is None or self.eta_rendering_s is None:
            return None
        return self.eta_waiting_s + self.eta_rendering_s


@dataclass(frozen=True)
class QueueSnapshot:
    """The queue at one moment, read by two queries however many batches are asked about."""

    waiting: Mapping[UUID, Waiting] = field(default_factory=dict)
    running: int = 0
    render_s_per_audio_s: float = ASSUMED_RENDER_S_PER_AUDIO_S

    @classmethod
    def load(cls) -> "QueueSnapshot":
        """The queue as it was a moment ago: read again once a second, by whoever asks first."""
        global _latest
        with _reading:
            taken_at, snapshot = _latest
            if snapshot is None or time.monotonic() - taken_at >= SNAPSHOT_S:
                snapshot = cls.read()
                _latest = (time.monotonic(), snapshot)
            return snapshot

    @classmethod
    def read(cls) -> "QueueSnapshot":
        """Read the open batches, which know how many of their items wait and are rendered."""
        columns = ("pk", "user_id", "pending_count", "created_at", "processing_count")
        rows = list(Batch.objects.filter(status__in=OPEN_STATUSES).order_by().values_list(*columns))
        return cls(
            waiting={row[0]: Waiting(*row[:4]) for row in rows if row[2]},
            running=sum(row[4] for row in rows),
            render_s_per_audio_s=_measured_speed(),
        )

    def forecast(self, batch: Asked, *, running_progress: int = 0) -> Forecast:
        """Position in the queue (1 is next) and seconds until the batch starts and from then on.

        `running_progress` is the sum of percent over the items of the batch that are being rendered.
        """
        waits, running = batch.pending_count, batch.processing_count
        if not waits and not running:
            return Forecast()
        mine = self.waiting.get(batch.pk)
        render_s = max(0.5, self.render_s_per_audio_s * batch.audio_duration_s)
        slots = max(settings.WORKER_THREADS, self.running, 1)
        ahead = self._ahead(mine) if mine else 0
        users = {entry.user_id for entry in self.waiting.values()} | {batch.user_id}
        left = waits + running - running_progress / 100
        rounds = ceil(left * len(users) / slots) if left > 1 else left
        return Forecast(
            queue_position=ahead + 1 if waits else None,
            eta_waiting_s=0 if running else ceil(ahead * render_s / slots),
            eta_rendering_s=ceil(rounds * render_s),
        )

    def _ahead(self, mine: Waiting) -> int:
        """Items served before the first waiting one of this batch, users taking turns."""
        own = 0
        others: dict[UUID, int] = {}
        for entry in self.waiting.values():
            if entry.user_id != mine.user_id:
                others[entry.user_id] = others.get(entry.user_id, 0) + entry.items
            elif (entry.since, entry.batch_id) < (mine.since, mine.batch_id):
                own += entry.items
        return own + sum(min(items, own + 1) for items in others.values())


def _measured_speed() -> float:
    """Seconds of rendering per second of audio, over the latest results."""
    rows = list(
        VideoItem.objects.filter(status=ItemStatus.COMPLETED, finished_at__isnull=False)
        .order_by("-finished_at")
        .values_list("started_at", "finished_at", "duration_s")[:RECENT_RESULTS]
    )
    seconds = sum(
        (finished - started).total_seconds() for started, finished, _ in rows if started and finished
    )
    audio_s = sum(duration or 0.0 for _, _, duration in rows)
    return seconds / audio_s if audio_s else ASSUMED_RENDER_S_PER_AUDIO_S


_latest: tuple[float, QueueSnapshot | None] = (0.0, None)
"""When the latest snapshot of this process was taken, and the snapshot."""
