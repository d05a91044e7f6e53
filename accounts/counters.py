"""What Prometheus is told of credits: counted once their transaction is committed."""

from functools import partial

from django.db import transaction
from prometheus_client import Counter

CHARGED = Counter("zhiying_credits_charged", "Credits that renders were charged for.")
REFUNDED = Counter("zhiying_credits_refunded", "Credits given back for renders that gave no video.")


def count_once_committed(counter: Counter, amount: int) -> None:
    """Nothing is counted for a transaction that is rolled back."""
    transaction.on_commit(partial(counter.inc, amount), robust=True)
