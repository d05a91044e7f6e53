"""Which waiting item a free worker takes: the queue is the database.

Users are served round robin: first whoever has the fewest items being rendered (by the weight of their
group), then whoever was served longest ago. One person's batch of fifty does not make another's single
image wait for it.
"""

import random
import time
from collections.abc import Collection

from django.conf import settings

from videos.scheduling.engines import capabilities_of
from videos.services import taking
from videos.services.attempts import Claim

LOOKS = 10
"""How often a claim looks again when others hold what it would take."""
PAUSE_S = 0.004
"""Between two looks, up to twice as long: about as long as somebody else's claim takes."""


def claim_next(worker: str, engines: Collection[str] = taking.DEFAULT_ENGINES) -> Claim | None:
    """Claim the item whose turn it is; None when nothing waits or the engine is fully used."""
    limit = capabilities_of(settings.GENERATION_ENGINE).max_concurrent
    if limit is not None:
        taking.make_gate()
    passed: list[int] = []
    for _ in range(LOOKS):
        taken = taking.take_next(worker, engines, passed, limit)
        if taken.claim:
            return taken.claim
        if taken.lane_id is not None:
            passed.append(taken.lane_id)  # others hold its items: somebody else's turn
            continue
        if not taking.work_waits(engines) or (limit is not None and not taking.may_run_another(limit)):
            return None
        time.sleep(PAUSE_S * (1 + random.random()))  # noqa: S311  (spreads claimants; nothing secret)
        passed.clear()
    return None
