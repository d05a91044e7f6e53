"""What a worker counts of an attempt beside its verdict."""

from videos.counters import WAIT_SECONDS, rendered
from videos.engine_names import name_of
from videos.services.attempts import Claim


def count_wait(claim: Claim, waited_s: float) -> None:
    """How long a taken item has waited."""
    WAIT_SECONDS.labels(name_of(claim.engine)).observe(waited_s)


def count_render(claim: Claim, rendered_s: float) -> None:
    """From the fetching of its files; of a remote engine's job, from when there was one."""
    rendered(claim.engine, rendered_s)
