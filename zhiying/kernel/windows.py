"""What has no index is looked for among the newest rows only, so that it costs the same for ever."""

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

WINDOW_ROWS = 10_000
"""Rows that a search, or an order without an index, looks at."""
SEARCH_HELP = f"Part of the name; looked for among the newest {WINDOW_ROWS} that the other filters leave."

Row = TypeVar("Row", bound=Model)


def newest(rows: "QuerySet[Row]", column: str = "created_at") -> "QuerySet[Row]":
    """The newest `WINDOW_ROWS` of these rows by a column that is indexed, as a query to filter further.

    Where they begin is looked up at once: as a condition on the column the database can enter the same
    index for whatever follows, which it does not do for a subquery.
    """
    return rows.filter(since(rows, WINDOW_ROWS, column))


def since(rows: "QuerySet[Row]", count: int, column: str = "created_at") -> Q:
    """A condition that holds for the newest `count` of these rows."""
    oldest = rows.order_by(f"-{column}").values_list(column, flat=True)[count - 1 : count]
    return Q(**{f"{column}__gte": start for start in oldest})
