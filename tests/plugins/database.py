"""Tests that commit leave an empty database behind, the append-only tables included."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
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
    Path("store", "test_slow_store.py"),
    Path("adminpanel", "test_query_counts.py"),
}
"""Of those, what is the same on any database: settings, processes, shapes of answers, numbers of queries."""
ON_POSTGRESQL_ALONE = {Path("api", "test_contract.py"), Path("model", "test_credits_and_items.py")}
"""What takes long because it tries so much: where one database has to do, the one that refuses more."""

LOCKED_WITHIN_S = 60.0
"""What another connection still holds then was left by a test that hangs: it fails, and the run goes on."""

WRITTEN_BY_MIGRATING = {"django_content_type", "auth_permission"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark them by folder, so that no new test is forgotten; early, since `-m` selects by the marks."""
    for item in items:
        path = _below_tests(item)
        if path.parts and path.parts[0] in ON_BOTH_DATABASES and path not in NO_ROWS:
            item.add_marker("postgresql")
    if "DATABASE_URL" not in os.environ:
        left = [item for item in items if _for_postgresql_alone(item)]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def _below_tests(item: pytest.Item) -> Path:
    return item.path.relative_to(ROOT) if item.path.is_relative_to(ROOT) else Path()


def _for_postgresql_alone(item: pytest.Item) -> bool:
    """What is about row locks, since SQLite has one writer at a time, about S3, or tries very much.

    Files are on S3 or on a disk, whatever holds the rows: an installation with SQLite has them on its disk.
    """
    if item.get_closest_marker("row_locks") or _below_tests(item) in ON_POSTGRESQL_ALONE:
        return True
    told = (
        item.callspec.params.values()
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        else ()
    )
    on_s3 = "s3_server" in getattr(item, "fixturenames", ()) or not {"s3", "store_s3"}.isdisjoint(
        [value for value in told if isinstance(value, str)]
    )
    return on_s3 and item.get_closest_marker("postgresql") is not None


@pytest.fixture(scope="session", autouse=True)
def _tests_that_commit_leave_nothing() -> Iterator[None]:
    """In place of Django's flush, which touches every table and fills those of permissions again.

    What that writes is the same for every test, and stays; of the other tables most are empty, and stay so.
    """
    # Imported here: this plugin is loaded before Django is ready.
    from django.db import connection
    from django.test import TransactionTestCase

    empty = {"postgresql": _empty_postgresql, "sqlite": _empty_sqlite}[connection.vendor]

    def leave_nothing(test: TransactionTestCase) -> None:
        empty(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", leave_nothing)
        yield


def _empty_postgresql(connection: Any) -> None:
    """Waits, as a TRUNCATE does, until nobody else has a transaction on any table, though not for ever."""
    tables = _tables(connection)
    with _transaction(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {round(LOCKED_WITHIN_S * 1000)}")
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        if full := _full(cursor, tables):
            # No trigger fires, neither those of foreign keys nor those of the append-only tables.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(";".join(f"DELETE FROM {table}" for table in full))


def _empty_sqlite(connection: Any) -> None:
    """Foreign keys are looked at when the transaction ends; triggers are dropped and made again within it."""
    rows = import_module("accounts.migrations.0002_append_only_ledger")  # no identifier
    log = import_module("accounts.migrations.0021_append_only_audit_log")
    drop = [*rows.BACKWARD["sqlite"], *log.BACKWARD["sqlite"]]
    create = [*rows.FORWARD["sqlite"], *log.FORWARD["sqlite"]]
    with _transaction(), connection.cursor() as cursor:
        if full := _full(cursor, _tables(connection)):
            for statement in [*drop, *(f"DELETE FROM {table}" for table in full), *create]:
                cursor.execute(statement)


def _transaction() -> AbstractContextManager[None]:
    from django.db import transaction

    return transaction.atomic()


def _tables(connection: Any) -> list[str]:
    names = connection.introspection.django_table_names(include_views=False)
    return sorted(connection.ops.quote_name(name) for name in set(names) - WRITTEN_BY_MIGRATING)


def _full(cursor: Any, tables: Sequence[str]) -> list[str]:
    """Those of the tables that hold something."""
    looks = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in tables)
    cursor.execute(" UNION ALL ".join(looks))
    return [name for (name,) in cursor.fetchall()]
