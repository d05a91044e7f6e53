"""The bounds of a statement's time on PostgreSQL, where a whole table is read or changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from psycopg.errors import DeadlockDetected, LockNotAvailable

from zhiying.kernel.commands import InstallationCommand

MIGRATION_WAIT_MS = 200
"""For a lock on a table, behind which all who want the table wait. Far below PostgreSQL's `deadlock_timeout`:
of a migration and a request that wait for each other it is the migration that is given up."""


def lift_statement_limit() -> None:
    """This connection's statements may take as long as they need; its waits for locks keep their bound."""
    _execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")


def limits_of_migrations(**_signal: Any) -> None:
    """They may take long, and may not keep others waiting: their own waits are short."""
    lift_statement_limit()
    _execute(f"SET lock_timeout = '{MIGRATION_WAIT_MS}ms'")


@contextmanager
def patient_for_locks() -> Iterator[None]:
    """For a statement behind which nobody waits, such as an index that is built CONCURRENTLY."""
    _execute("SET lock_timeout = 0")
    try:
        yield
    finally:
        _execute(f"SET lock_timeout = '{MIGRATION_WAIT_MS}ms'")


def lost_to_others(error: BaseException) -> bool:
    """Whether a statement was given up because others hold what it wants."""
    return isinstance(error.__cause__, LockNotAvailable | DeadlockDetected)


def _execute(statement: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement)


class LongCommand(InstallationCommand):
    """A management command whose statements grow with the installation."""

    def begin(self) -> None:
        lift_statement_limit()
