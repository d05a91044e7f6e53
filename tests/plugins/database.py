"""Tests that commit leave an empty database behind, the append-only ledger included."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def _flush_may_empty_the_ledger() -> Iterator[None]:
    """Let Django's flush, and nothing else, past the triggers that protect the ledger on SQLite.

    The flush deletes row by row there; on PostgreSQL it truncates, which row triggers do not see. The
    triggers are dropped and made again within the flush's own transaction.
    """
    # Imported here: this plugin is loaded before Django is ready, and a migration's name is no identifier.
    from django.db.backends.sqlite3.base import DatabaseWrapper

    triggers = import_module("accounts.migrations.0002_append_only_ledger")
    operations = DatabaseWrapper.ops_class
    original = operations.sql_flush

    def sql_flush(self: Any, *args: Any, **kwargs: Any) -> list[str]:
        statements = original(self, *args, **kwargs)
        if not statements:
            return statements
        return [*triggers.BACKWARD["sqlite"], *statements, *triggers.FORWARD["sqlite"]]

    operations.sql_flush = sql_flush  # type: ignore[method-assign]
    yield
    operations.sql_flush = original  # type: ignore[method-assign]
