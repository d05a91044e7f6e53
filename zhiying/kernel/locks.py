"""Rows that others have locked: step over them, or wait for them only so long."""

import logging
from collections.abc import Callable
from typing import TypedDict, TypeVar

from django.db import OperationalError, connection, transaction

T = TypeVar("T")

logger = logging.getLogger(__name__)


class SkipLocked(TypedDict):
    """Arguments of `select_for_update`."""

    skip_locked: bool


def stepping_over_locks() -> SkipLocked:
    """For `select_for_update`: leave out what others have locked, where the database locks rows at all."""
    return {"skip_locked": bool(connection.features.has_select_for_update_skip_locked)}


def try_briefly(
    act: Callable[[], T], *, patience_s: float, what: str, if_held: Callable[[], object] = lambda: None
) -> T | None:
    """What `act` gives in a transaction of its own that waits for no lock longer; None when it went wrong,
    which is logged: one row that cannot be changed keeps no other from being changed.

    `what`: the row, for the log; `if_held`: called when somebody held a lock for too long.

    Raises what went wrong when there is no connection any more.
    """
    try:
        with transaction.atomic():
            wait_no_longer_than(patience_s)
            return act()
    except Exception as error:
        if not connection.is_usable():
            raise
        if isinstance(error, OperationalError):
            if_held()
        logger.warning("%s is left for the next time: %s", what, type(error).__name__)
        return None


def wait_no_longer_than(seconds: float) -> None:
    """Until this transaction ends, a wait for a lock that takes longer is an `OperationalError`.

    SQLite has no row locks; how long it waits for its one writer is a setting.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(seconds * 1000)}ms"])
