"""When nobody can work with an engine for a while, what waits for it goes to the next one of its route.

What a server has already stays there: it may still be made, and nothing is made twice.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models.expressions import Combinable

from videos.engine_names import all_engines, lane_engines_of, name_of
from videos.models import Batch, EngineRecord, ItemStatus
from videos.services import lanes, routing
from videos.services.transitions import change_lane, lock_batch
from zhiying.kernel.clock import database_now
from zhiying.kernel.locks import try_briefly

BATCHES_AT_ONCE = 100
PATIENCE_S = 0.5


def note_engines(ready: Mapping[str, bool]) -> None:
    """Write down since when nobody can work with an engine; with one that the installation has no longer,
    nobody can."""
    known = dict(EngineRecord.objects.values_list("engine", "down_since"))
    for name in known.keys() | ready.keys():
        works = ready.get(name, False)
        if name not in known:
            EngineRecord.objects.get_or_create(engine=name, defaults={"down_since": _since(works)})
        elif works != (known[name] is None):
            EngineRecord.objects.filter(engine=name).update(down_since=_since(works))


def _since(works: bool) -> Combinable | None:
    return None if works else database_now()


def fall_back() -> int:
    """Send on what waits for engines that have been down for `FALLBACK_AFTER_S`; returns how many items."""
    long_ago = database_now(-timedelta(seconds=settings.FALLBACK_AFTER_S))
    down = set(EngineRecord.objects.filter(down_since__lte=long_ago).values_list("engine", flat=True))
    return sum(_fall_back_from(name, down) for name in down)


def _fall_back_from(name: str, down: Collection[str]) -> int:
    waiting = Batch.objects.filter(engine__in=lane_engines_of([name]), pending_count__gt=0)
    waiting = waiting.exclude(fallbacks="")
    # Rules are few, and so are these; those that lead nowhere now must not stand before others.
    routes = waiting.order_by().values_list("fallbacks", flat=True).distinct()
    movable = waiting.filter(fallbacks__in=[route for route in routes if _able(route, down)])
    moved = 0
    for batch_id in list(movable.values_list("pk", flat=True)[:BATCHES_AT_ONCE]):
        send_on = partial(_send_on, batch_id, down)
        moved += try_briefly(send_on, patience_s=PATIENCE_S, what=f"Batch {batch_id}") or 0
    return moved


def _able(route: str, down: Collection[str]) -> list[str]:
    """What of a route could go on."""
    known = all_engines()
    return [name for name in route.split(",") if name in known and name not in down]


def _send_on(batch_id: UUID, down: Collection[str]) -> int:
    """To the next engine that is not down itself; as it is now that the batch is locked."""
    batch = lock_batch(batch_id)
    if batch is None or name_of(batch.engine) not in down or not (able := _able(batch.fallbacks, down)):
        return 0
    left = batch.fallbacks.split(",")
    routing.go_to(batch, able[0], left[left.index(able[0]) + 1 :])
    urgent = batch.items.filter(status=ItemStatus.PENDING, lane__urgent=True).exists()
    return change_lane(batch, lanes.lane_of(batch.user_id, engine=batch.engine, urgent=urgent))
