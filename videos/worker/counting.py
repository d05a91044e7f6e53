"""What a worker counts of an attempt beside its verdict."""

from videos.counters import RENDER_SECONDS, WAIT_SECONDS, engine_label
from videos.models import VideoItem
from videos.services.attempts import Claim


def count_wait(claim: Claim, item: VideoItem) -> None:
    """How long a taken item has waited, both times by the database's clock."""
    if item.started_at and item.attempt == claim.attempt:
        waited_s = (item.started_at - item.not_before).total_seconds()
        WAIT_SECONDS.labels(engine_label(claim.engine)).observe(max(0.0, waited_s))


def count_render(claim: Claim, rendered_s: float) -> None:
    RENDER_SECONDS.labels(engine_label(claim.engine)).observe(rendered_s)
