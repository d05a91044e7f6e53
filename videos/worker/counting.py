"""What a worker counts of an attempt beside its verdict."""

from videos.counters import RENDER_SECONDS, WAIT_SECONDS
from videos.engine_names import name_of
from videos.services.attempts import Claim


def count_wait(claim: Claim, waited_s: float) -> None:
    """How long a taken item has waited."""
    WAIT_SECONDS.labels(name_of(claim.engine)).observe(waited_s)


def count_render(claim: Claim, rendered_s: float) -> None:
    RENDER_SECONDS.labels(name_of(claim.engine)).observe(rendered_s)
