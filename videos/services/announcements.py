"""What services tell whoever listens, once it is committed: nobody here knows who that is."""

from django.db import transaction
from django.dispatch import Signal

work_waiting = Signal()
"""Items wait for a worker; sent with `count`, after the commit."""


def announce_work(count: int = 1) -> None:
    """Tell the listeners of `work_waiting`, once the current transaction has committed."""
    transaction.on_commit(lambda: work_waiting.send_robust(sender=None, count=count), robust=True)
