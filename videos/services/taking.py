"""Taking the next item: whose turn it is, which of their items, and the transition to `processing`.

The lane with the least load is served, then the one served longest ago; urgent lanes come before all
others. The steps are written once for each database: one statement on PostgreSQL, one transaction on SQLite.
"""

from collections.abc import Collection

from django.db import connection
from django.db.models import Exists, OuterRef, Sum

from videos.engine_names import OWN_ENGINE
from videos.models import EngineLimit, ItemStatus, QueueLane, VideoItem
from videos.services import taking_postgresql, taking_sqlite
from videos.services.attempts import Taken
from zhiying.kernel.clock import database_now

DEFAULT_ENGINES = (OWN_ENGINE,)


def take_next(
    worker: str, engines: Collection[str], passed: Collection[int] = (), limit: int | None = None
) -> Taken:
    """Claim the item whose turn it is, of the lanes called so but those in `passed`.

    `limit`: how many items of all these lanes may run at once; they are one engine's then.
    """
    if connection.vendor == "postgresql":
        return taking_postgresql.take(worker, engines, passed, limit)
    return taking_sqlite.take(worker, engines, limit)  # nobody holds a row there, so no lane is passed


def work_waits(engines: Collection[str] = DEFAULT_ENGINES) -> bool:
    """Whether some item could be claimed now."""
    ready = VideoItem.objects.filter(
        lane=OuterRef("pk"), status=ItemStatus.PENDING, not_before__lte=database_now()
    )
    return QueueLane.objects.filter(Exists(ready), waiting__gt=0, engine__in=engines).exists()


def may_run_another(limit: int, engines: Collection[str] = DEFAULT_ENGINES) -> bool:
    """Whether an engine, by what its lanes are called, runs fewer items than it can."""
    running = QueueLane.objects.filter(engine__in=engines, running__gt=0)
    return int(running.aggregate(items=Sum("running", default=0))["items"]) < limit


def make_gate(engines: Collection[str] = DEFAULT_ENGINES) -> None:
    """The row that claims within a limit take turns by; on SQLite, whose writers do, nobody looks for it."""
    if connection.vendor == "postgresql":
        EngineLimit.objects.get_or_create(engine=next(iter(engines)))
