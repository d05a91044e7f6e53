"""Which waiting item a free worker takes: the queue is the database.

Users are served round robin: first whoever has the fewest items being rendered, then whoever was
served longest ago. One person's batch of fifty does not make another's single image wait for it.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from engines.registry import get_engine
from videos.models import ItemStatus, QueueState, QueueTurn, VideoItem
from videos.services import attempts
from videos.services.attempts import Claim


def claim_next(worker: str) -> Claim | None:
    """Claim the item whose turn it is; None when nothing waits or the engine is fully used."""
    if not _ready(timezone.now()).exists():
        return None  # the common case costs one indexed query and no lock
    with transaction.atomic():
        # Claims take turns, or two workers would both see the same user as least served.
        QueueState.objects.select_for_update().get_or_create(pk=1)
        now = timezone.now()
        if _engine_is_full():
            return None
        user_id = _next_user(now)
        if user_id is None:
            return None
        item = (
            _ready(now).filter(batch__user_id=user_id).order_by("queued_at", "batch_id", "position").first()
        )
        claim = attempts.begin(item, worker=worker) if item else None
        if claim:
            QueueTurn.objects.update_or_create(user_id=user_id, defaults={"served_at": now})
        return claim


def count_ready() -> int:
    """How many items could be claimed now."""
    return _ready(timezone.now()).count()


def _ready(now: datetime) -> "QuerySet[VideoItem]":
    return VideoItem.objects.filter(status=ItemStatus.PENDING, not_before__lte=now)


def _engine_is_full() -> bool:
    limit = get_engine(settings.GENERATION_ENGINE).capabilities().max_concurrent
    return limit is not None and VideoItem.objects.filter(status=ItemStatus.PROCESSING).count() >= limit


def _next_user(now: datetime) -> UUID | None:
    waiting = dict(_ready(now).order_by().values_list("batch__user_id").annotate(first=Min("queued_at")))
    running = dict(
        VideoItem.objects.filter(status=ItemStatus.PROCESSING, batch__user_id__in=waiting)
        .order_by()
        .values_list("batch__user_id")
        .annotate(n=Count("pk"))
    )
    served = dict(QueueTurn.objects.filter(user_id__in=waiting).values_list("user_id", "served_at"))

    def turn(user_id: UUID) -> tuple[int, float, datetime]:
        last = served.get(user_id)
        return running.get(user_id, 0), last.timestamp() if last else 0.0, waiting[user_id]

    return min(waiting, key=turn, default=None)
