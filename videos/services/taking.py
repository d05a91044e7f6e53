"""Taking the next item: whose turn it is, which of their items, and the transition to `processing`.

The lane with the least load is served, then the one served longest ago; urgent lanes come before all
others. On PostgreSQL all of it is one statement, committed by the server itself: a client that freezes in
between holds no lock, and the statement steps over whatever others have locked, so that it waits for
nobody. Its cost is that of a few index entries (docs/queue.md has the plan).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Sum

from videos.models import EngineLimit, ItemStatus, QueueLane, VideoItem
from videos.services.attempts import Claim
from videos.services.transitions import lock_batch, move
from zhiying.kernel.clock import database_now
from zhiying.kernel.locks import stepping_over_locks

OWN_ENGINE = ""
"""The engine of lanes whose items were submitted without a choice."""
DEFAULT_ENGINES = (OWN_ENGINE,)
_LANE_TURN = ("-urgent", "load", "served_at")
_ITEM_TURN = ("not_before", "batch", "position")

# The scalar subquery (rather than EXISTS, which the planner may turn into a join over everything that
# waits) is evaluated for one lane after the other, in the order of the index, until one has an item.
_TAKE = """
WITH {gate}lane AS (
    SELECT l.id, l.engine FROM queue_lanes l
    WHERE l.waiting > 0 AND l.engine = ANY(%(engines)s) AND l.id <> ALL(%(passed)s){has_room}
      AND (SELECT true FROM video_items i
           WHERE i.lane_id = l.id AND i.status = 'pending' AND i.not_before <= statement_timestamp()
           LIMIT 1)
    ORDER BY l.urgent DESC, l.load, l.served_at
    LIMIT 1 FOR UPDATE SKIP LOCKED
), item AS (
    SELECT i.id FROM video_items i JOIN batches b ON b.id = i.batch_id
    WHERE i.lane_id = (SELECT id FROM lane)
      AND i.status = 'pending' AND i.not_before <= statement_timestamp()
    ORDER BY i.not_before, i.batch_id, i.position
    LIMIT 1 FOR NO KEY UPDATE OF b, i SKIP LOCKED
), taken AS (
    UPDATE video_items v
    SET status = 'processing', attempt = v.attempt + 1, tries = v.tries + 1, worker = %(worker)s,
        progress = 0, started_at = statement_timestamp(),
        lease_until = statement_timestamp() + make_interval(secs => %(lease_s)s)
    FROM item WHERE v.id = item.id
    RETURNING v.id, v.batch_id, v.lane_id, v.run, v.attempt, v.tries
), counted AS (
    UPDATE batches b
    SET pending_count = b.pending_count - 1, processing_count = b.processing_count + 1,
        status = 'processing', version = b.version + 1
    FROM taken WHERE b.id = taken.batch_id
    RETURNING b.user_id
), served AS (
    UPDATE queue_lanes l
    SET waiting = l.waiting - 1, running = l.running + 1,
        load = (l.running + 1)::double precision / l.weight, served_at = statement_timestamp()
    FROM taken WHERE l.id = taken.lane_id
){counting}
SELECT lane.id, lane.engine, taken.id, taken.batch_id, counted.user_id, taken.run, taken.attempt, taken.tries
FROM lane LEFT JOIN (taken CROSS JOIN counted) ON true
"""
# Claims of an engine with a limit hold its row while they count what runs. The row comes back as it is now,
# all else as it was when the statement began: if another claim came in between, the count is too old.
_GATE = """gate AS (
    SELECT g.engine, g.claims FROM queue_engine_limits g WHERE g.engine = %(limited)s
    FOR NO KEY UPDATE SKIP LOCKED
), room AS (
    SELECT gate.engine FROM gate
    WHERE gate.claims = (SELECT g.claims FROM queue_engine_limits g WHERE g.engine = %(limited)s)
      AND %(limit)s > (SELECT coalesce(sum(l.running), 0) FROM queue_lanes l
                       WHERE l.engine = %(limited)s AND l.running > 0)
), """
_HAS_ROOM = """
      AND (SELECT true FROM room)"""
_COUNTING = """, counting AS (
    UPDATE queue_engine_limits g SET claims = g.claims + 1 FROM taken WHERE g.engine = %(limited)s
)"""
_TAKE_ANY = _TAKE.format(gate="", has_room="", counting="")
_TAKE_WITHIN = _TAKE.format(gate=_GATE, has_room=_HAS_ROOM, counting=_COUNTING)


@dataclass(frozen=True)
class Taken:
    """What a look at the queue found: a claim, or else the lane whose items were all locked by others."""

    claim: Claim | None
    lane_id: int | None


def take_next(
    worker: str, engines: Collection[str], passed: Collection[int] = (), limit: int | None = None
) -> Taken:
    """Claim the item whose turn it is, of these engines' lanes but those in `passed`.

    `limit`: how many items of the installation's own engine may run at once.
    """
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        return _take_by_statement(worker, engines, passed, limit)
    if not work_waits(engines):
        return Taken(None, None)  # without the lock that a transaction takes here
    return _take_step_by_step(worker, engines, passed, limit)


def _take_by_statement(
    worker: str, engines: Collection[str], passed: Collection[int], limit: int | None
) -> Taken:
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE_ANY if limit is None else _TAKE_WITHIN,
            {
                "worker": worker[:100],
                "engines": list(engines),
                "passed": list(passed),
                "lease_s": settings.LEASE_S,
                "limited": OWN_ENGINE,
                "limit": limit,
            },
        )
        row = cursor.fetchone()
    if row is None:
        return Taken(None, None)
    lane_id, engine, item_id, batch_id, user_id, run, attempt, tries = row
    if item_id is None:
        return Taken(None, lane_id)
    return Taken(Claim(item_id, batch_id, user_id, lane_id, engine, run, attempt, tries), lane_id)


def work_waits(engines: Collection[str] = DEFAULT_ENGINES) -> bool:
    """Whether some item could be claimed now."""
    ready = VideoItem.objects.filter(
        lane=OuterRef("pk"), status=ItemStatus.PENDING, not_before__lte=database_now()
    )
    return QueueLane.objects.filter(Exists(ready), waiting__gt=0, engine__in=engines).exists()


def may_run_another(limit: int) -> bool:
    """Whether the installation's own engine runs fewer items than it can."""
    running = QueueLane.objects.filter(engine=OWN_ENGINE, running__gt=0)
    return int(running.aggregate(items=Sum("running", default=0))["items"]) < limit


def make_gate() -> None:
    """The row that claims within a limit take turns by."""
    EngineLimit.objects.get_or_create(engine=OWN_ENGINE)


@transaction.atomic
def _take_step_by_step(
    worker: str, engines: Collection[str], passed: Collection[int], limit: int | None
) -> Taken:
    """The same by the ORM: for SQLite, which has one writer at a time, and within a transaction."""
    if limit is not None:
        EngineLimit.objects.select_for_update().get_or_create(engine=OWN_ENGINE)
        if not may_run_another(limit):
            return Taken(None, None)
    waiting = VideoItem.objects.filter(status=ItemStatus.PENDING, not_before__lte=database_now())
    lanes = QueueLane.objects.filter(
        Exists(waiting.filter(lane=OuterRef("pk"))), waiting__gt=0, engine__in=engines
    ).exclude(pk__in=passed)
    lane = lanes.order_by(*_LANE_TURN).select_for_update(**stepping_over_locks()).first()
    if lane is None:
        return Taken(None, None)
    item = waiting.filter(lane=lane).order_by(*_ITEM_TURN).select_for_update(**stepping_over_locks()).first()
    batch = lock_batch(item.batch_id) if item else None
    if item is None or batch is None:
        return Taken(None, lane.pk)
    moved = move(
        batch,
        {item.pk: lane.pk},
        ItemStatus.PENDING,
        ItemStatus.PROCESSING,
        attempt=F("attempt") + 1,
        tries=F("tries") + 1,
        worker=worker[:100],
        lease_until=database_now(timedelta(seconds=settings.LEASE_S)),
        started_at=database_now(),
        progress=0,
    )
    if not moved:
        return Taken(None, lane.pk)
    QueueLane.objects.filter(pk=lane.pk).update(served_at=database_now())
    claim = Claim(
        item_id=item.pk,
        batch_id=batch.pk,
        user_id=batch.user_id,
        lane_id=lane.pk,
        engine=lane.engine,
        run=item.run,
        attempt=item.attempt + 1,
        tries=item.tries + 1,
    )
    return Taken(claim, lane.pk)
