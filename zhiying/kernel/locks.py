"""Rows that others have locked: step over them, or wait for them only so long."""

from typing import TypedDict

from django.db import connection


class SkipLocked(TypedDict):
    """Arguments of `select_for_update`."""

    skip_locked: bool


def stepping_over_locks() -> SkipLocked:
    """For `select_for_update`: leave out what others have locked, where the database locks rows at all."""
    return {"skip_locked": bool(connection.features.has_select_for_update_skip_locked)}


def wait_no_longer_than(seconds: float) -> None:
    """Until this transaction ends, a wait for a lock that takes longer is an `OperationalError`.

    SQLite has no row locks; how long it waits for its one writer is a setting.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(seconds * 1000)}ms"])
