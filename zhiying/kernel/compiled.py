"""Reads that every request makes: compiled by the ORM once, executed ever after.

Building and compiling a query costs the ORM several times what the database needs to answer it. A
`CompiledQuery` keeps the SQL, so that a run costs the execution and the conversion of its columns.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet


@dataclass(frozen=True)
class _Statement:
    sql: str
    parameters: tuple[Any, ...]
    positions: dict[int, int]
    """Which of the statement's parameters is which of the caller's."""
    converters: Any


class CompiledQuery:
    """A `values_list` query with ids as parameters: `build` makes it, given a stand-in for each id."""

    def __init__(self, build: Callable[..., "QuerySet[Any, tuple[Any, ...]]"], parameters: int = 1) -> None:
        self._build = build
        self._stand_ins = [uuid.uuid4() for _ in range(parameters)]
        self._statements: dict[str, _Statement] = {}  # by the kind of database: tests use two

    def rows(self, *ids: UUID) -> list[tuple[Any, ...]]:
        """The rows found for these ids."""
        statement = self._statements.get(connection.vendor) or self._compile()
        parameters = list(statement.parameters)
        for position, number in statement.positions.items():
            parameters[position] = _database_id(ids[number])
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        if not statement.converters or not found:
            return found
        return [_converted(row, statement.converters) for row in found]

    def first(self, *ids: UUID) -> tuple[Any, ...] | None:
        """The only row, or None."""
        found = self.rows(*ids)
        return found[0] if found else None

    def _compile(self) -> _Statement:
        compiler = self._build(*self._stand_ins).query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        wanted = {_database_id(stand_in): number for number, stand_in in enumerate(self._stand_ins)}
        positions = {
            position: wanted[parameter]
            for position, parameter in enumerate(parameters)
            if isinstance(parameter, str | UUID) and parameter in wanted
        }
        converters = compiler.get_converters([column[0] for column in compiler.select])
        statement = _Statement(sql, tuple(parameters), positions, converters)
        self._statements[connection.vendor] = statement
        return statement


def _database_id(value: UUID) -> Any:
    return value if connection.features.has_native_uuid_field else value.hex


def _converted(row: tuple[Any, ...], converters: Any) -> tuple[Any, ...]:
    values = list(row)
    for position, (functions, expression) in converters.items():
        value = values[position]
        for function in functions:
            value = function(value, expression, connection)
        values[position] = value
    return tuple(values)
