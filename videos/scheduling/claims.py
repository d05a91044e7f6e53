"""Which waiting item a free worker takes: the queue is the database.

Users are served round robin: first whoever has the fewest items being rendered (by the weight of their
group), then whoever was served longest ago. One person's batch of fifty does not make another's single
image wait for it.
"""

import random
import time
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Sum

from engines.registry import get_engine
from videos.models import EngineLimit, ItemStatus, QueueLane, VideoItem
from videos.services.attempts import Claim
from videos.services.taking import Taken, take_next, take_step_by_step
from zhiying.kernel.clock import database_now

DEFAULT_ENGINE = ("",)
"""The lanes of items that were submitted without a choice of engine."""
LOOKS = 10
"""How often a claim looks again when others hold what it would take."""
PAUSE_S = 0.004
"""Between two looks, up to twice as long: about as long as somebody else's claim takes."""


def claim_next(worker: str, engines: Collection[str] = DEFAULT_ENGINE) -> Claim | None:
    """Claim the item whose turn it is; None when nothing waits or the engine is fully used."""
    if not work_waits(engines):
        return None  # the common case costs one indexed query and no lock
    passed: list[int] = []
    for _ in range(LOOKS):
        taken = _take(worker, engines, passed)
        if taken is None:
            return None
        if taken.claim:
            return taken.claim
        if taken.lane_id is not None:
            passed.append(taken.lane_id)  # others hold its items: somebody else's turn
            continue
        if not work_waits(engines):
            return None
        time.sleep(PAUSE_S * (1 + random.random()))  # noqa: S311  (spreads claimants; nothing secret)
        passed.clear()
    return None


def work_waits(engines: Collection[str] = DEFAULT_ENGINE) -> bool:
    """Whether some item could be claimed now."""
    ready = VideoItem.objects.filter(
        lane=OuterRef("pk"), status=ItemStatus.PENDING, not_before__lte=database_now()
    )
    return QueueLane.objects.filter(Exists(ready), waiting__gt=0, engine__in=engines).exists()


def _take(worker: str, engines: Collection[str], passed: Collection[int]) -> Taken | None:
    """What a look found; None when the engine renders as many items as it can."""
    limit = get_engine(settings.GENERATION_ENGINE).capabilities().max_concurrent
    if limit is None:
        return take_next(worker, engines, passed)
    return _take_within(limit, worker, engines, passed)


@transaction.atomic
def _take_within(limit: int, worker: str, engines: Collection[str], passed: Collection[int]) -> Taken | None:
    """Claims of an engine with a limit take turns, so that the limit holds exactly."""
    EngineLimit.objects.select_for_update().get_or_create(engine="")
    running = QueueLane.objects.filter(engine="", running__gt=0).aggregate(n=Sum("running"))["n"] or 0
    if running >= limit:
        return None
    return take_step_by_step(worker, engines, passed)
