"""What Prometheus is told of parts that were away, whoever met it."""

from enum import StrEnum

from prometheus_client import Counter


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
