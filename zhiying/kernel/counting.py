"""Counting for Prometheus what the database kept.

Apart from `zhiying.kernel.counters`, whose series exist once it is imported: so in processes that count, and
in no other.
"""

from functools import partial

from django.db import transaction
from prometheus_client import Counter


def count_once_committed(counter: Counter, amount: int = 1) -> None:
    """Nothing is counted for a transaction that is rolled back."""
    transaction.on_commit(partial(counter.inc, amount), robust=True)
