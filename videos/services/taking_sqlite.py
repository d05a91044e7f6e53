"""Taking an item on SQLite, which has one writer at a time: a look without its lock, then one transaction.

In SQL, because building these queries costs the ORM ten times what SQLite needs to run them.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from videos.services.attempts import Claim, Taken

_LANE = """
SELECT l.id, l.engine FROM queue_lanes l
WHERE l.waiting > 0 AND l.engine IN ({engines})
  AND EXISTS (SELECT 1 FROM video_items i
              WHERE i.lane_id = l.id AND i.status = 'pending' AND i.not_before <= %s)
ORDER BY l.urgent DESC, l.load, l.served_at
LIMIT 1
"""
_RUNNING = """
SELECT coalesce(sum(l.running), 0) FROM queue_lanes l WHERE l.engine IN ({engines}) AND l.running > 0
"""
_ITEM = """
SELECT i.id, b.id, b.user_id, i.run, i.attempt + 1, i.tries + 1
FROM video_items i JOIN batches b ON b.id = i.batch_id
WHERE i.lane_id = %s AND i.status = 'pending' AND i.not_before <= %s
ORDER BY i.not_before, i.batch_id, i.position
LIMIT 1
"""
_MOVE = """
UPDATE video_items
SET status = 'processing', attempt = attempt + 1, tries = tries + 1, worker = %s, progress = 0,
    started_at = %s, lease_until = %s
WHERE id = %s
"""
_COUNT = """
UPDATE batches
SET pending_count = pending_count - 1, processing_count = processing_count + 1, status = 'processing',
    version = version + 1
WHERE id = %s
"""
_SERVE = """
UPDATE queue_lanes
SET waiting = waiting - 1, running = running + 1, load = (running + 1) * 1.0 / weight, served_at = %s
WHERE id = %s
"""


def take(worker: str, engines: Collection[str], limit: int | None) -> Taken:
    """See `videos.services.taking.take_next`."""
    if _lane(engines) is None:
        return Taken(None, None)
    with transaction.atomic():  # takes the lock at once, so that what is read stays true
        lane = _lane(engines)
        if lane is None or (limit is not None and _running(engines) >= limit):
            return Taken(None, None)
        return _take_of(lane[0], lane[1], worker)


def _take_of(lane_id: int, engine: str, worker: str) -> Taken:
    now = _text_of_time()
    item, batch, user, run, attempt, tries = _row(_ITEM, [lane_id, now])
    lease_until = _text_of_time(timedelta(seconds=settings.LEASE_S))
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, [worker[:100], now, lease_until, item])
        cursor.execute(_COUNT, [batch])
        cursor.execute(_SERVE, [now, lane_id])
    return Taken(Claim(UUID(item), UUID(batch), UUID(user), lane_id, engine, run, attempt, tries), lane_id)


def _lane(engines: Collection[str]) -> Any:
    return _row(_of(engines, _LANE), [*engines, _text_of_time()])


def _running(engines: Collection[str]) -> int:
    return int(_row(_of(engines, _RUNNING), [*engines])[0])


def _of(engines: Collection[str], sql: str) -> str:
    return sql.format(engines=", ".join(["%s"] * len(engines)))


def _row(sql: str, values: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()


def _text_of_time(plus: timedelta = timedelta()) -> str | None:
    """SQLite runs in the process itself, so the process's own clock is the database's."""
    return connection.ops.adapt_datetimefield_value(timezone.now() + plus)
