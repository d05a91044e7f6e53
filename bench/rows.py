"""A database as full as wanted, made by SQL in seconds: users, batches and items that look like real ones."""

import json
import os
from collections.abc import Mapping
from typing import Any

from django.db import connection, models
from django.utils import timezone

ITEMS_PER_BATCH = 20
OTHERS = int(os.environ.get("BENCH_USERS") or 1000)
"""Users whom the other batches belong to."""
SPREAD_S = 365 * 86_400
"""Batches were made evenly over the last year."""


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def insert(model: type[models.Model], count: int, values: Mapping[str, str], *, first: int = 1) -> None:
    """Insert rows numbered `n` from `first`. Columns not named get the default of their field."""
    columns: dict[str, str] = {}
    for field in model._meta.concrete_fields:
        if field.attname in values:
            columns[str(field.column)] = values[field.attname]
        elif not isinstance(field, models.AutoField):
            columns[str(field.column)] = _default(field)
    numbers = (
        f"SELECT n FROM generate_series({first}, {first + count - 1}) AS numbers(n)"
        if is_postgresql()
        else f"WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers"
        f" WHERE n < {first + count - 1}) SELECT n FROM numbers"
    )
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" ({names})'
            f" SELECT {', '.join(columns.values())} FROM ({numbers}) AS numbered"
        )


def uuid_of(kind: str, number: str = "n") -> str:
    """An id made of a number, scattered as random ones are. `kind` is one hexadecimal digit."""
    scattered = f"(({number}) * 2654435761) % 4294967296"
    if is_postgresql():
        return (
            f"(lpad(to_hex(({scattered})::bigint), 8, '0') || '{kind}' ||"
            f" lpad(to_hex(({number})::bigint), 23, '0'))::uuid"
        )
    return f"printf('%08x', {scattered}) || '{kind}' || printf('%023x', {number})"


def text(expression: str) -> str:
    """A number within a text."""
    return f"CAST({expression} AS text)"


def ago(seconds: str) -> str:
    """A time so many seconds ago."""
    if is_postgresql():
        return f"now() - ({seconds}) * interval '1 second'"
    return f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ({seconds}) || ' seconds')"


def _default(field: Any) -> str:
    """The default of a field as an SQL literal."""
    if field.has_db_default():
        return str(field.db_default)
    if field.null:
        return "NULL"
    value = field.get_default()
    if isinstance(value, list | dict):
        return f"'{json.dumps(value)}'"
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE") if is_postgresql() else str(int(value))
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, type(timezone.now())):
        return ago("0")
    return f"'{value}'"
