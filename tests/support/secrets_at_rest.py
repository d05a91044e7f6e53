"""Where secrets of an installation could lie, and which of them do."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from django.db import connection


class Places:
    """Texts by place: each table of a database, each log."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def add_sqlite(self, path: Path) -> None:
        """Every column of every row of every table, as text."""
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in names:
                rows = database.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608  (our own table)
                self.texts[f"table {name}"] = "\n".join(str(value) for row in rows for value in row)

    def add_connection(self) -> None:
        """The same of the database that Django is connected to, whichever it is."""
        with connection.cursor() as cursor:
            for name in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{name}"')  # noqa: S608  (our own table)
                rows = cursor.fetchall()
                self.texts[f"table {name}"] = "\n".join(str(value) for row in rows for value in row)

    def add_log(self, name: str, text: str) -> None:
        self.texts[f"log {name}"] = text

    def holding(self, secret: str) -> list[str]:
        """The places that hold this secret."""
        return [place for place, text in self.texts.items() if secret in text]

    def found(self, secrets: Mapping[str, str]) -> dict[str, list[str]]:
        """Each secret that lies somewhere, and where."""
        places = {name: self.holding(secret) for name, secret in secrets.items()}
        return {name: where for name, where in places.items() if where}

    def table(self, secrets: Mapping[str, str]) -> str:
        """Secret × kind of place, for people: how many places were looked through, and how many hold it."""
        tables = [place for place in self.texts if place.startswith("table")]
        logs = [place for place in self.texts if place.startswith("log")]
        lines = [f"| secret | {len(tables)} tables | " + " | ".join(logs) + " |"]
        lines.append("|---" * (2 + len(logs)) + "|")
        for name, secret in secrets.items():
            where = self.holding(secret)
            marks = [", ".join(place for place in where if place in tables) or "none"]
            marks += ["FOUND" if log in where else "none" for log in logs]
            lines.append(f"| {name} | " + " | ".join(marks) + " |")
        return "\n".join(lines)
