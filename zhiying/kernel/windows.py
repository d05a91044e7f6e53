"""What has no index is looked for among the newest rows only, so that it costs the same for ever."""

from typing import TypeVar

from django.db.models import Model, QuerySet

WINDOW_ROWS = 10_000
"""Rows that a search, or an order without an index, looks at."""
SEARCH_HELP = f"Part of the name; looked for among the newest {WINDOW_ROWS} that the other filters leave."

Row = TypeVar("Row", bound=Model)


def newest(rows: "QuerySet[Row]", column: str = "created_at") -> "QuerySet[Row]":
    """The newest `WINDOW_ROWS` of these rows by a column that is indexed, as a query to filter further.

    Where they begin is looked up at once: as a condition on the column the database can enter the same
    index for whatever follows, which it does not do for a subquery.
    """
    oldest = rows.order_by(f"-{column}").values_list(column, flat=True)[WINDOW_ROWS - 1 : WINDOW_ROWS]
    return rows.filter(**{f"{column}__gte": start for start in oldest})
