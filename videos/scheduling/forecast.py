"""When a batch's turn comes and when it will be done: estimates from the queue as it was a moment ago.

One snapshot of the lanes, made at most once a second in each process by whoever needs it, serves every
request; its size is the number of users who wait, whatever waits and whatever was ever made.
"""

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.db.models import F, Q

from videos.engine_names import all_engines, name_of
from videos.models import Batch, EngineRecord, QueueLane, QueueState, Worker
from videos.scheduling.engine_state import EngineState, state_of
from videos.scheduling.figures import living_workers

SNAPSHOT_S = 1.0
ASSUMED_RENDER_S_PER_AUDIO_S = 0.3
"""Until there are results to go by."""
FADING = 0.95
"""What the results before count beside a new one: about the last twenty matter."""
RECORDED_EVERY_S = 1.0
WAITING_BATCHES = 10_000
"""So many batches of the users in question are looked at, the oldest first."""


class Asked(Protocol):
    """What a forecast needs to know of a batch."""

    @property
    def user_id(self) -> UUID: ...
    @property
    def engine(self) -> str: ...
    @property
    def audio_duration_s(self) -> float: ...
    @property
    def pending_count(self) -> int: ...
    @property
    def processing_count(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...


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


@dataclass
class _Queue:
    """What waits for and runs on one engine."""

    waiting: dict[UUID, int] = field(default_factory=dict)
    """Items that wait, by user."""
    running: int = 0
    slots: int = 1
    """Items at once, over all living workers and within the engine's own limit."""
    render_s_per_audio_s: float = ASSUMED_RENDER_S_PER_AUDIO_S


@dataclass(frozen=True)
class QueueSnapshot:
    """The queues and the engines at one moment."""

    engines: Mapping[str, EngineState] = field(default_factory=dict)
    """Those of the installation, by name, as their workers tell."""
    queues: Mapping[str, _Queue] = field(default_factory=dict)
    _own: dict[UUID, list[tuple[datetime, int, str]]] = field(default_factory=dict)
    """By user: when their waiting batches were made, how many items wait in each and for which engine; read
    when asked for."""

    @classmethod
    def current(cls) -> "QueueSnapshot":
        """The snapshot of this second."""
        return _cache.get()

    @classmethod
    def read(cls) -> "QueueSnapshot":
        """A new snapshot, by four queries."""
        speeds = _measured_speeds()
        workers = list(living_workers())
        queues = {name: _Queue(slots=_slots_of(name, workers)) for name in all_engines()}
        lanes = QueueLane.objects.filter(Q(waiting__gt=0) | Q(running__gt=0))
        for user_id, engine, waits, runs in lanes.values_list("user_id", "engine", "waiting", "running"):
            queue = queues.setdefault(name_of(engine), _Queue())
            queue.running += runs
            if waits:
                queue.waiting[user_id] = queue.waiting.get(user_id, 0) + waits
        for name, queue in queues.items():
            queue.slots = max(queue.slots, queue.running, 1)
            queue.render_s_per_audio_s = speeds.get(name, speeds[""])
        return cls({name: state_of(name, workers) for name in all_engines()}, queues)

    def forecast(self, batch: Asked, *, running_progress: int = 0) -> Forecast:
        """Position in the queue (1 is next) and seconds until the batch starts and from then on.

        `running_progress` is the sum of percent over the items of the batch that are being rendered.
        """
        waits, running = batch.pending_count, batch.processing_count
        if not waits and not running:
            return Forecast()
        queue = self.queues.get(name_of(batch.engine)) or _Queue()
        render_s = max(0.5, queue.render_s_per_audio_s * batch.audio_duration_s)
        ahead = self._ahead(batch, queue) if waits else 0
        users = len(queue.waiting.keys() | {batch.user_id})
        left = waits + running - running_progress / 100
        rounds = ceil(left * users / queue.slots) if left > 1 else left
        return Forecast(
            queue_position=ahead + 1 if waits else None,
            eta_waiting_s=0 if running else ceil(ahead * render_s / queue.slots),
            eta_rendering_s=ceil(rounds * render_s),
        )

    def engine(self, name: str) -> EngineState:
        """An engine as its workers saw it; one that the installation no longer has, as no worker does."""
        return self.engines.get(name) or state_of(name, [])

    def prepare(self, user_ids: Collection[UUID]) -> None:
        """Read what forecasts for batches of these users need, by one query for all of them."""
        missing = {user_id for user_id in user_ids if user_id not in self._own}
        if not missing:
            return
        found: dict[UUID, list[tuple[datetime, int, str]]] = {user_id: [] for user_id in missing}
        waiting = Batch.objects.filter(user_id__in=missing, pending_count__gt=0).order_by("created_at")
        rows = waiting.values_list("user_id", "created_at", "pending_count", "engine")[:WAITING_BATCHES]
        for user_id, created_at, items, engine in rows:
            found[user_id].append((created_at, items, engine))
        self._own.update(found)

    def _ahead(self, batch: Asked, queue: _Queue) -> int:
        """Items served before the first waiting one of this batch, users taking turns."""
        self.prepare([batch.user_id])
        own = sum(
            items
            for made_at, items, engine in self._own[batch.user_id]
            if made_at < batch.created_at and name_of(engine) == name_of(batch.engine)
        )
        others = (items for user_id, items in queue.waiting.items() if user_id != batch.user_id)
        return own + sum(min(items, own + 1) for items in others)


def _slots_of(engine: str, workers: Collection[Worker]) -> int:
    """Items that the living workers could make with an engine at once; those of an earlier release tell of
    all engines together."""
    slots = 0
    most: int | None = None
    for worker in workers:
        facts = worker.engines.get(engine)
        if facts is None or worker.state == Worker.State.STOPPING:
            continue
        slots += facts.get("slots", worker.slots)
        most = (facts.get("capabilities") or {}).get("max_concurrent") or most
    slots = slots or settings.WORKER_THREADS
    return min(slots, most) if most else slots


class _Cache:
    """One thread reads, the others take what was there before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._snapshot: QueueSnapshot | None = None
        self._read_at = 0.0

    def get(self) -> QueueSnapshot:
        snapshot = self._snapshot
        if snapshot and time.monotonic() - self._read_at < SNAPSHOT_S:
            return snapshot
        if not self._lock.acquire(blocking=snapshot is None):
            return snapshot or QueueSnapshot()
        try:
            self._snapshot = snapshot = QueueSnapshot.read()
            self._read_at = time.monotonic()
            return snapshot
        finally:
            self._lock.release()

    def forget(self) -> None:
        """The next look reads anew."""
        self._snapshot = None


_cache = _Cache()
forget_snapshot = _cache.forget


_recorded_at: dict[str, float] = {}


def record_speed(engine: str, *, render_s: float, audio_s: float) -> None:
    """A video was finished: how fast that was. Not in the item's transaction, which must not wait.

    One a second of each process is enough to know, and keeps fast renders from queueing up for this row.
    """
    now = time.monotonic()
    if now - _recorded_at.get(engine, float("-inf")) < RECORDED_EVERY_S:
        return
    _recorded_at[engine] = now
    try:
        EngineRecord.objects.get_or_create(engine=engine)
        EngineRecord.objects.filter(engine=engine).update(
            render_s=F("render_s") * FADING + render_s, audio_s=F("audio_s") * FADING + audio_s
        )
    except DatabaseError:
        return  # an estimate is not worth an item


def _measured_speeds() -> dict[str, float]:
    """Seconds of rendering per second of audio over the latest results, by engine; "" for any other."""
    earlier = QueueState.objects.filter(pk=1).values_list("render_s", "audio_s").first()
    speeds = {"": earlier[0] / earlier[1] if earlier and earlier[1] else ASSUMED_RENDER_S_PER_AUDIO_S}
    measured = EngineRecord.objects.filter(audio_s__gt=0).values_list("engine", "render_s", "audio_s")
    return speeds | {name: render_s / audio_s for name, render_s, audio_s in measured}
