"""Tests that commit leave an empty database behind, the append-only tables included."""

import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
ON_BOTH_DATABASES = ("accounts", "adminpanel", "api", "model", "scheduling", "store", "videos")
"""Folders whose tests run on PostgreSQL as well: whatever reads or writes rows may behave otherwise there."""
NO_ROWS = {
    Path("api", "test_headers.py"),
    Path("api", "test_production.py"),
    Path("scheduling", "test_core_share.py"),
    Path("scheduling", "test_render_process.py"),
    Path("scheduling", "test_sandbox.py"),
}
"""Of those, what is about settings and processes, and the same on any database."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark them by folder, so that no new test is forgotten; early, since `-m` selects by the marks.

    What is about row locks is left to the run on PostgreSQL: SQLite has one writer at a time.
    """
    for item in items:
        path = item.path.relative_to(ROOT) if item.path.is_relative_to(ROOT) else Path()
        if path.parts and path.parts[0] in ON_BOTH_DATABASES and path not in NO_ROWS:
            item.add_marker("postgresql")
    if "DATABASE_URL" not in os.environ:
        left = [item for item in items if item.get_closest_marker("row_locks")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


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
