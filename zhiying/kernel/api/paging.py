"""Lists in pages, at a cost that does not grow with the list.

A page is asked for by `limit` and `offset`, or by the `cursor` that the page before named in its `next`
link. A cursor says where that page ended, so the database goes on from there by the index of the order; an
offset makes it walk, which is why offsets end at `MAX_OFFSET`. Totals are counted up to `COUNTED`.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.handlers.wsgi import get_bytes_from_wsgi
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from zhiying.kernel.api.links import origin_of
from zhiying.kernel.errors import InvalidError

MAX_LIMIT = 1000
MAX_OFFSET = 10_000
COUNTED = 10_000
"""Rows that are counted for a total: what offsets can reach."""
REMEMBERED_BYTES = 200
"""Longer query strings are checked each time, so that what is remembered stays small."""

Row = TypeVar("Row", bound=Model)


class PageQuery(serializers.Serializer[Any]):
    """Query parameters of every list."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, required=False)
    offset = serializers.IntegerField(
        min_value=0, max_value=MAX_OFFSET, default=0, help_text="Not together with `cursor`."
    )
    cursor = serializers.CharField(
        required=False, max_length=500, help_text="Where the page before ended: follow its `next`."
    )


class PageOutput(serializers.Serializer[Any]):
    """What every list says beside its rows."""

    total = serializers.IntegerField(help_text=f"Rows in all pages, counted up to {COUNTED}.")
    total_is_exact = serializers.BooleanField(help_text=f"False: there are more than {COUNTED}.")
    next = serializers.CharField(allow_null=True, help_text="The address of the next page; null on the last.")


@dataclass(frozen=True)
class Order:
    """The columns a list is ordered by, all in one direction; together they are unique."""

    columns: tuple[str, ...]
    descending: bool = False

    @classmethod
    def parse(cls, text: str, *, then: str = "id") -> "Order":
        """`-created_at` is the newest first; rows that are equal go by `then`, in the same direction."""
        column = text.removeprefix("-")
        return cls((column,) if column == then else (column, then), text.startswith("-"))

    def terms(self) -> list[str]:
        return [f"-{column}" if self.descending else column for column in self.columns]


@dataclass(frozen=True)
class Page:
    """One page of rows."""

    rows: Sequence[Any]
    total: int
    total_is_exact: bool
    cursor: str | None
    """Where the next page begins; None on the last."""


def validated_query(request: Request, query: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The query parameters, checked; a wrong one is a 400 that names it."""
    sent = get_bytes_from_wsgi(request.META, "QUERY_STRING", "")
    check = _checked if len(sent) <= REMEMBERED_BYTES else _checked.__wrapped__
    return dict(check(query, sent))


@lru_cache(maxsize=512)
def _checked(query: type[serializers.Serializer[Any]], sent: bytes) -> dict[str, Any]:
    """What a query string means does not change; clients send the same ones again and again.

    It is taken as the bytes that were sent: not every client escapes what is not ASCII.
    """
    serializer = query(data=QueryDict(sent, encoding="utf-8"))
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def page_of(
    rows: "QuerySet[Row]",
    params: dict[str, Any],
    order: Order,
    *,
    default_limit: int = 50,
    plain: type[Any] | None = None,
    fitting: Callable[[Sequence[Any]], int] = len,
    first: Callable[[int], list[Any]] | None = None,
) -> Page:
    """Cut one page out of a query.

    `plain` is a named tuple of columns, to be read instead of whole rows. `fitting` says how many of the
    rows found fit into one answer, at least one; the next page begins after them. `first` reads the first
    rows of the query, as many as it is told, by a quicker way.
    """
    limit = params.get("limit") or default_limit
    offset, cursor = params["offset"], params.get("cursor")
    if cursor and offset:
        raise InvalidError(_("Send either offset or cursor."))
    if first and not cursor and not offset:
        found = first(limit + 1)
    else:
        wanted = rows.order_by(*order.terms())
        if cursor:
            wanted = wanted.filter(_after(rows.model, order, cursor))
        wanted = wanted[offset : offset + limit + 1]
        found = [plain._make(row) for row in wanted.values_list(*plain._fields)] if plain else list(wanted)
    if not cursor and 0 < len(found) <= limit:
        counted = offset + len(found)  # the last page says how many there are
    else:
        counted = rows.order_by()[: COUNTED + 1].count()
    shown = found[: fitting(found[:limit])]
    return Page(
        rows=shown,
        total=min(counted, COUNTED),
        total_is_exact=counted <= COUNTED,
        cursor=_cursor(order, shown[-1]) if len(shown) < len(found) else None,
    )


def page_facts(request: Request, page: Page) -> dict[str, Any]:
    """The fields of `PageOutput`."""
    return {
        "total": page.total,
        "total_is_exact": page.total_is_exact,
        "next": next_link(request, page.cursor) if page.cursor else None,
    }


def next_link(request: Request, cursor: str) -> str:
    """The address of this call with another cursor."""
    query = {name: request.query_params[name] for name in request.query_params if name != "offset"}
    return f"{origin_of(request._request)}{request.path}?{urlencode({**query, 'cursor': cursor})}"


def _cursor(order: Order, row: Any) -> str:
    values = [getattr(row, column) for column in order.columns]
    texts = [value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode().rstrip("=")


def _after(model: type[Model], order: Order, cursor: str) -> Q:
    """The rows behind a cursor. The first condition is the one by which an index is entered."""
    values = _cursor_values(model, order, cursor)
    way = "lt" if order.descending else "gt"
    behind = Q()
    equal = Q()
    for column, value in zip(order.columns, values, strict=True):
        behind |= equal & Q(**{f"{column}__{way}": value})
        equal &= Q(**{column: value})
    return Q(**{f"{order.columns[0]}__{way}e": values[0]}) & behind


def _cursor_values(model: type[Model], order: Order, cursor: str) -> list[Any]:
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        fields = [model._meta.get_field(column) for column in order.columns]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError(cursor)
        return [_value(field, text) for field, text in zip(fields, texts, strict=True)]
    except (binascii.Error, ValueError, ValidationError, OverflowError, RecursionError) as error:
        raise InvalidError(_("The cursor is not one of this list. Begin with its first page.")) from error


def _value(field: Any, text: str) -> Any:
    """A text of a cursor as a value of its column; anything the database could not compare is an error."""
    text.encode()  # half of a pair of surrogates has no bytes
    if "\0" in text:
        raise ValueError(text)
    value = field.to_python(text)
    field.run_validators(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(text)
    return _moment(value) if isinstance(value, datetime) else value


def _moment(time: datetime) -> datetime:
    """In UTC, as databases are told: a zone can lead beyond the ends of the calendar."""
    if time.tzinfo is None:
        raise ValueError(time)
    return time.astimezone(UTC)
