"""What has no index is looked for among the newest rows only, so that it costs the same for ever."""

from typing import TypeVar

from django.db.models import Model, QuerySet

WINDOW_ROWS = 10_000
"""Rows that a search, or an order without an index, looks at."""

SEARCH_HELP = f"Part of the name; looked for among the newest {WINDOW_ROWS} that the other filters leave."

Row = TypeVar("Row", bound=Model)


def newest(rows: "QuerySet[Row]") -> "QuerySet[Row]":
    """The newest `WINDOW_ROWS` of these rows by `created_at`, as a query that may be filtered further."""
    window = rows.order_by("-created_at", "-pk").values("pk")[:WINDOW_ROWS]
    return rows.model._default_manager.filter(pk__in=window)
