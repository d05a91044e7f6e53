"""What a worker writes while it works on items: leases and progress.

Each call is one statement on PostgreSQL, committed by the server itself: nothing stays locked between two
round trips, and what others have locked is stepped over. It writes no column that an index covers, so that
the table does not grow with it.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from videos.models import ItemStatus, VideoItem
from videos.services.attempts import Claim
from videos.services.transitions import raise_version
from zhiying.kernel.clock import database_now

_RENEW = """
UPDATE video_items SET lease_until = statement_timestamp() + make_interval(secs => %(lease_s)s)
WHERE id IN (
    SELECT id FROM video_items
    WHERE id = ANY(%(items)s) AND status = 'processing'
      AND (id, attempt) IN (SELECT * FROM unnest(%(items)s::uuid[], %(attempts)s::int[]))
    FOR NO KEY UPDATE SKIP LOCKED
)
"""
_SHOW = """
WITH batch AS (
    SELECT id FROM batches WHERE id = %(batch)s FOR NO KEY UPDATE SKIP LOCKED
), item AS (
    SELECT i.id FROM video_items i
    WHERE i.id = %(item)s AND i.batch_id = (SELECT id FROM batch) AND i.attempt = %(attempt)s
      AND i.status = 'processing'
      AND (i.progress <> %(progress)s OR i.server_position IS DISTINCT FROM %(position)s::int
           OR i.server_ready_at IS NOT NULL OR %(eta_s)s::float8 IS NOT NULL)
    FOR NO KEY UPDATE SKIP LOCKED
), shown AS (
    UPDATE video_items v
    SET progress = %(progress)s, server_position = %(position)s::int,
        server_ready_at = statement_timestamp() + make_interval(secs => %(eta_s)s::float8)
    FROM item WHERE v.id = item.id
    RETURNING v.batch_id
)
UPDATE batches b SET version = b.version + 1 FROM shown WHERE b.id = shown.batch_id
"""


def still_held(claims: Collection[Claim]) -> set[Claim]:
    """Which of these claims are still good: one query for all of a process.

    A process may hold two of one item, when it was cancelled and asked for anew: one at most is good.
    """
    items = {claim.item_id for claim in claims}
    running = set(
        VideoItem.objects.filter(pk__in=items, status=ItemStatus.PROCESSING).values_list("pk", "attempt")
    )
    return {claim for claim in claims if (claim.item_id, claim.attempt) in running}


def renew(claims: Collection[Claim]) -> None:
    """Renew the leases of these claims, where they are still good.

    Items that somebody locks, or a frozen process does, are left for the next time, so that one of them costs
    no other its lease.
    """
    if connection.vendor == "postgresql":
        values: dict[str, Any] = {
            "items": [claim.item_id for claim in claims],
            "attempts": [claim.attempt for claim in claims],
            "lease_s": settings.LEASE_S,
        }
        with connection.cursor() as cursor:
            cursor.execute(_RENEW, values)
        return
    with transaction.atomic():
        lease_until = database_now(timedelta(seconds=settings.LEASE_S))
        items = {claim.item_id for claim in still_held(claims)}
        VideoItem.objects.filter(pk__in=items).update(lease_until=lease_until)


def show_progress(
    claim: Claim, progress: int, *, server_position: int | None = None, server_eta_s: float | None = None
) -> None:
    """Show how much is done (percent), unless somebody changes the batch right now: there is a next time.

    `server_position` and `server_eta_s` (seconds) are what a remote engine's server says of its queue.
    """
    shown = min(99, max(0, progress))
    if connection.vendor == "postgresql":
        values: dict[str, Any] = {
            "batch": claim.batch_id,
            "item": claim.item_id,
            "attempt": claim.attempt,
            "progress": shown,
            "position": server_position,
            "eta_s": server_eta_s,
        }
        with connection.cursor() as cursor:
            cursor.execute(_SHOW, values)
        return
    told = {
        "progress": shown,
        "server_position": server_position,
        "server_ready_at": None if server_eta_s is None else database_now(timedelta(seconds=server_eta_s)),
    }
    with transaction.atomic():
        items = VideoItem.objects.filter(
            pk=claim.item_id, status=ItemStatus.PROCESSING, attempt=claim.attempt
        )
        if server_eta_s is None:
            items = items.exclude(progress=shown, server_position=server_position, server_ready_at=None)
        if items.update(**told):
            raise_version(claim.batch_id)
