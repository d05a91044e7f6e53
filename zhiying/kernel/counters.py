"""What Prometheus is told: counts of what was committed, and of parts that were away, whoever met it."""

from enum import StrEnum
from functools import partial

from django.db import transaction
from prometheus_client import Counter


def count_once_committed(counter: Counter, amount: int = 1) -> None:
    """Nothing is counted for a transaction that is rolled back."""
    transaction.on_commit(partial(counter.inc, amount), robust=True)


class Troubled(StrEnum):
    """A part that we need."""

    DATABASE = "database"
    STORAGE = "storage"
    DISK = "disk"
    BROKER = "broker"
    ENGINE = "engine"
    SYSTEM = "system"


_TROUBLE = Counter("zhiying_trouble", "Times that a part was found away, by which.", ["part"])
for _part in Troubled:
    _TROUBLE.labels(_part)  # there from the first scrape on: a rate does not see where a series begins


def met_trouble(part: Troubled) -> None:
    _TROUBLE.labels(part).inc()
