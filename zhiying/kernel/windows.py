"""What has no index of its own is looked for in a part of the rows, so that it costs the same for ever."""

from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

WINDOW_ROWS = 10_000
"""Rows that a search, or an order without an index, looks at."""
SEARCH_HELP = f"Part of the name; looked for among the newest {WINDOW_ROWS} that the other filters leave."

DISORDER = timedelta(days=1)
"""More than the clocks of two machines, or the length of a transaction, can set two numbered rows apart."""

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


def made_between(rows: "QuerySet[Row]", start: datetime | None, end: datetime | None) -> "QuerySet[Row]":
    """The rows of a span of time, whose end is not part of it, of a log that is read by its numbers.

    The order of numbers is that of time but for `DISORDER`: the numbers at both ends are looked up first, so
    that reading begins and ends there and not at the log's ends.
    """
    if start:
        first = _number(rows.model, "created_at", created_at__gte=start - DISORDER)
        rows = rows.filter(created_at__gte=start, number__gte=first) if first else rows.none()
    if end:
        last = _number(rows.model, "-created_at", created_at__lt=end + DISORDER)
        rows = rows.filter(created_at__lt=end, number__lte=last) if last else rows.none()
    return rows


def _number(model: type[Model], order: str, **span: datetime) -> int | None:
    """The number of the first row of a span, in order of time."""
    numbers = model._default_manager.filter(**span).order_by(order).values_list("number", flat=True)
    return numbers.first()
