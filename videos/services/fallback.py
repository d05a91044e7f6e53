"""When nobody can work with an engine for a while, what waits for it goes to the next one of its route.

What a server has already stays there: it may still be made, and nothing is made twice.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, transaction

from videos.engine_names import all_engines, lane_engines_of, name_of
from videos.models import Batch, EngineRecord, ItemStatus
from videos.services import lanes, routing
from videos.services.transitions import change_lane, lock_batch
from zhiying.kernel.clock import database_now
from zhiying.kernel.locks import wait_no_longer_than

BATCHES_AT_ONCE = 100
PATIENCE_S = 0.5


def note_engines(ready: Mapping[str, bool]) -> None:
    """Write down since when nobody can work with an engine."""
    gone = EngineRecord.objects.exclude(engine__in=ready)  # the installation has them no longer
    gone.filter(down_since=None).update(down_since=database_now())
    for name, works in ready.items():
        record, _made = EngineRecord.objects.get_or_create(engine=name)
        if works and record.down_since is not None:
            EngineRecord.objects.filter(engine=name).update(down_since=None)
        elif not works and record.down_since is None:
            EngineRecord.objects.filter(engine=name).update(down_since=database_now())


def fall_back() -> int:
    """Send on what waits for engines that have been down for `FALLBACK_AFTER_S`; returns how many items."""
    long_ago = database_now(-timedelta(seconds=settings.FALLBACK_AFTER_S))
    down = set(EngineRecord.objects.filter(down_since__lte=long_ago).values_list("engine", flat=True))
    moved = 0
    for name in down:
        waiting = Batch.objects.filter(engine__in=lane_engines_of([name]), pending_count__gt=0)
        waiting = waiting.exclude(fallbacks="")
        for batch_id in list(waiting.values_list("pk", flat=True)[:BATCHES_AT_ONCE]):
            try:
                with transaction.atomic():
                    wait_no_longer_than(PATIENCE_S)
                    moved += _send_on(lock_batch(batch_id), down)
            except OperationalError:
                continue  # somebody holds it; the next sweep comes soon
    return moved


def _send_on(batch: Batch | None, down: Collection[str]) -> int:
    """The next engine that is not down itself; without one everything stays where it is."""
    if batch is None or name_of(batch.engine) not in down:
        return 0
    left = batch.fallbacks.split(",") if batch.fallbacks else []
    able = [name for name in left if name in all_engines() and name not in down]
    if not able:
        return 0
    routing.go_to(batch, able[0], left[left.index(able[0]) + 1 :])
    urgent = batch.items.filter(status=ItemStatus.PENDING, lane__urgent=True).exists()
    return change_lane(batch, lanes.lane_of(batch.user_id, engine=batch.engine, urgent=urgent))
