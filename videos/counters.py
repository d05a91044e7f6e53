"""What Prometheus is told of renders and of the sweep.

Each process counts what it does itself; a scrape adds up the processes of a machine, and Prometheus the
machines. The names of engines are the operator's, so there are few series.
"""

from enum import StrEnum

from prometheus_client import Counter, Histogram

from engines.registry import remote_engine_paths
from videos.engine_names import name_of, worker_engines
from zhiying.kernel.counting import count_once_committed


class Outcome(StrEnum):
    """How an attempt at an item ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    TRIED_AGAIN = "tried_again"
    GIVEN_BACK = "given_back"
    """Untouched: the worker stops, or trouble is not the item's."""
    DISCARDED = "discarded"
    """Nobody wants the result any more: cancelled, or the claim was lost."""


class Repair(StrEnum):
    """What the sweep put right, or tidied."""

    ITEMS_TAKEN_BACK = "items_taken_back"
    ITEMS_SENT_ON = "items_sent_on"
    """To the next engine of their route."""
    FILES_REMOVED = "files_removed"
    UPLOADS_ABANDONED = "uploads_abandoned"
    RECORDS_EXPIRED = "records_expired"


class Where(StrEnum):
    """Who takes the time that a render takes."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    """A job of a remote engine: with its wait at the engine's server."""


RENDERS = Counter("zhiying_renders", "Attempts at items by how they ended.", ["engine", "outcome"])
RENDER_SECONDS = Histogram(
    "zhiying_render_seconds",
    "From the fetching of an item's files to its finished video.",
    ["engine", "where"],
    buckets=(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600),
)
WAIT_SECONDS = Histogram(
    "zhiying_wait_seconds",
    "From when an item could have been taken to when a worker took it.",
    ["engine"],
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 900, 1800, 3600, 7200, 21600, 43200),
)
REPAIRS = Counter("zhiying_sweep_repairs", "What the sweep put right.", ["kind"])


def begin() -> None:
    """Let every series exist from the first scrape on: a rate does not see where a series begins."""
    for engine in worker_engines():
        for outcome in Outcome:
            RENDERS.labels(engine, outcome)
        RENDER_SECONDS.labels(engine, _where(engine))
        WAIT_SECONDS.labels(engine)
    for kind in Repair:
        REPAIRS.labels(kind)


def attempt_ended(lane_engine: str, outcome: Outcome) -> None:
    """Counted once the transaction that ends the attempt is committed."""
    count_once_committed(RENDERS.labels(name_of(lane_engine), outcome))


def rendered(lane_engine: str, seconds: float) -> None:
    engine = name_of(lane_engine)
    RENDER_SECONDS.labels(engine, _where(engine)).observe(seconds)


def repaired(kind: Repair, number: int) -> None:
    REPAIRS.labels(kind).inc(number)


def _where(engine: str) -> Where:
    return Where.ELSEWHERE if engine in remote_engine_paths() else Where.HERE
