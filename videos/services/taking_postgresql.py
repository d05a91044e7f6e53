"""Taking an item on PostgreSQL: one statement, committed by the server itself.

A client that freezes in between holds no lock, and the statement steps over whatever others have locked, so
that it waits for nobody. Its cost is that of a few index entries (docs/queue.md has the plan).
"""

from collections.abc import Collection

from django.conf import settings
from django.db import connection

from videos.services.attempts import Claim, Taken

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
    SELECT g.engine, g.claims FROM queue_engine_limits g WHERE g.engine = %(gate)s
    FOR NO KEY UPDATE SKIP LOCKED
), room AS (
    SELECT gate.engine FROM gate
    WHERE gate.claims = (SELECT g.claims FROM queue_engine_limits g WHERE g.engine = %(gate)s)
      AND %(limit)s > (SELECT coalesce(sum(l.running), 0) FROM queue_lanes l
                       WHERE l.engine = ANY(%(engines)s) AND l.running > 0)
), """
_HAS_ROOM = """
      AND (SELECT true FROM room)"""
_COUNTING = """, counting AS (
    UPDATE queue_engine_limits g SET claims = g.claims + 1 FROM taken WHERE g.engine = %(gate)s
)"""
TAKE_ANY = _TAKE.format(gate="", has_room="", counting="")
TAKE_WITHIN = _TAKE.format(gate=_GATE, has_room=_HAS_ROOM, counting=_COUNTING)


def take(worker: str, engines: Collection[str], passed: Collection[int], limit: int | None) -> Taken:
    """See `videos.services.taking.take_next`."""
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE_ANY if limit is None else TAKE_WITHIN,
            {
                "worker": worker[:100],
                "engines": list(engines),
                "passed": list(passed),
                "lease_s": settings.LEASE_S,
                "gate": next(iter(engines)),
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
