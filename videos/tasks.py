"""The Dramatiq actors."""

import dramatiq

from videos.scheduling.hints import QUEUE, WORK_ACTOR
from videos.worker.runner import work_until_idle

HINT_MAX_AGE_MS = 10 * 60 * 1000
"""The sweep sends new hints, so old ones need not pile up."""


@dramatiq.actor(actor_name=WORK_ACTOR, queue_name=QUEUE, max_retries=0, max_age=HINT_MAX_AGE_MS)
def work() -> None:
    """There may be work: do it. Safe to be called too often, too late and twice at once."""
    work_until_idle()
