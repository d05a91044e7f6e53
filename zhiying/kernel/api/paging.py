"""`?limit=&offset=` paging, answered as `{"<items>": [...], "total": n}`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

MAX_LIMIT = 1000
MAX_OFFSET = 10_000_000

Row = TypeVar("Row", bound=Model)


class PageQuery(serializers.Serializer[Any]):
    """Query parameters of every list."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, required=False)
    offset = serializers.IntegerField(min_value=0, max_value=MAX_OFFSET, default=0)


@dataclass(frozen=True)
class Page:
    """One page of rows and how many rows there are in all."""

    rows: Sequence[Any]
    total: int


def validated_query(request: Request, query: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The query parameters, checked; a wrong one is a 400 that names it."""
    serializer = query(data=request.query_params)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def page_of(rows: QuerySet[Row], params: dict[str, Any], *, default_limit: int = 50) -> Page:
    """Cut one page out of an ordered query."""
    limit = params.get("limit") or default_limit
    offset = params["offset"]
    return Page(list(rows[offset : offset + limit]), rows.count())
