"""The one way in which answers become JSON."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import JSONRenderer

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def json_bytes(body: Any) -> bytes:
    """`body` as JSON in UTF-8; times in UTC end in Z."""
    return orjson.dumps(body, default=_plain, option=_OPTIONS)


class FastJSONRenderer(JSONRenderer):
    """REST framework's JSON, written by orjson."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else json_bytes(data)


def _plain(value: Any) -> Any:
    """What orjson does not know: texts still to be translated, and exact numbers."""
    if isinstance(value, Promise | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON")
