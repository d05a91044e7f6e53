"""Tests that commit leave an empty database behind, the append-only tables included."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def _flush_may_empty_append_only_tables() -> Iterator[None]:
    """Let Django's flush, and nothing else, past the triggers that protect the ledger and the audit log.

    The flush deletes row by row on SQLite and truncates on PostgreSQL. The triggers are dropped and made
    again within the flush's own transaction.
    """
    # Imported here: this plugin is loaded before Django is ready, and a migration's name is no identifier.
    from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQL
    from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite

    rows = import_module("accounts.migrations.0002_append_only_ledger")
    table = import_module("accounts.migrations.0003_ledger_is_not_truncated")
    log = import_module("accounts.migrations.0021_append_only_audit_log")
    with pytest.MonkeyPatch.context() as patch:
        _unprotected(patch, SQLite, rows.BACKWARD["sqlite"], rows.FORWARD["sqlite"])
        _unprotected(patch, PostgreSQL, [table.UNPROTECT], [table.PROTECT])
        for database, vendor in ((SQLite, "sqlite"), (PostgreSQL, "postgresql")):
            _unprotected(patch, database, log.BACKWARD[vendor], log.FORWARD[vendor])
        yield


def _unprotected(
    patch: pytest.MonkeyPatch, database: Any, drop: Sequence[str], create: Sequence[str]
) -> None:
    original = database.ops_class.sql_flush

    def sql_flush(self: Any, *args: Any, **kwargs: Any) -> list[str]:
        statements = original(self, *args, **kwargs)
        return [*drop, *statements, *create] if statements else statements

    patch.setattr(database.ops_class, "sql_flush", sql_flush)
