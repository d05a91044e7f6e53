"""Wake-up messages. They say that there is work, not which: losing or repeating one does no harm."""

import logging
from typing import Any

import dramatiq
from django.dispatch import receiver

from videos.services.announcements import work_waiting

QUEUE = "generation"
WORK_ACTOR = "work"
MAX_HINTS = 50
"""Hints sent at once; a worker that finishes an item sends the next."""

logger = logging.getLogger(__name__)


def wake_workers(count: int = 1) -> None:
    """Send up to `MAX_HINTS` hints now. A broker that is down is logged; the sweep sends them again."""
    broker = dramatiq.get_broker()
    try:
        for _ in range(min(count, MAX_HINTS)):
            broker.enqueue(
                dramatiq.Message(queue_name=QUEUE, actor_name=WORK_ACTOR, args=(), kwargs={}, options={})
            )
    except Exception as error:  # noqa: BLE001  (whatever a broker raises: the rows are safe, only the hint is late)
        logger.warning("Could not send a hint to the workers: %s", type(error).__name__)


@receiver(work_waiting)
def _wake_for_work(count: int, **kwargs: Any) -> None:
    wake_workers(count)
