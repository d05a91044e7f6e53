"""Which waiting item a free worker takes: the queue is the database.

Users are served round robin: first whoever has the fewest items being rendered (by the weight of their
group), then whoever was served longest ago. One person's batch of fifty does not make another's single
image wait for it. Engines that make only so many videos at once are looked at one by one, the others
together.
"""

import random
import time
from collections.abc import Collection, Iterator

from videos.engine_names import lane_engines_of, own_engine
from videos.scheduling.engines import capabilities_of
from videos.services import taking
from videos.services.attempts import Claim

LOOKS = 10
"""How often a claim looks again when others hold what it would take."""
PAUSE_S = 0.004
"""Between two looks, up to twice as long: about as long as somebody else's claim takes."""


def claim_next(worker: str, engines: Collection[str] = ()) -> Claim | None:
    """Claim the item whose turn it is, for one of these engines (the installation's own unless given).

    None when nothing waits for them, or all of them are fully used.

    Raises:
        EngineUnavailableError: one of them cannot be loaded or configured.
    """
    for names, limit in _kinds(engines or [own_engine()]):
        if claim := _claim_of(worker, lane_engines_of(names), limit):
            return claim
    return None


def _kinds(engines: Collection[str]) -> Iterator[tuple[Collection[str], int | None]]:
    """Engines that are looked at together, with how many items they run at once; in no order."""
    limits = {name: capabilities_of(name).max_concurrent for name in engines}
    kinds: list[tuple[Collection[str], int | None]] = [
        ([name], limit) for name, limit in limits.items() if limit is not None
    ]
    if free := [name for name, limit in limits.items() if limit is None]:
        kinds.append((free, None))
    if len(kinds) > 1:
        random.shuffle(kinds)
    yield from kinds


def _claim_of(worker: str, lanes: list[str], limit: int | None) -> Claim | None:
    if limit is not None:
        taking.make_gate(lanes)
    passed: list[int] = []
    for _ in range(LOOKS):
        taken = taking.take_next(worker, lanes, passed, limit)
        if taken.claim:
            return taken.claim
        if taken.lane_id is not None:
            passed.append(taken.lane_id)  # others hold its items: somebody else's turn
            continue
        if not taking.work_waits(lanes) or (limit is not None and not taking.may_run_another(limit, lanes)):
            return None
        time.sleep(PAUSE_S * (1 + random.random()))  # noqa: S311  (spreads claimants; nothing secret)
        passed.clear()
    return None
