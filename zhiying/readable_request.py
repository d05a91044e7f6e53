"""A request that can be made of whatever a client sends, so that refusing it is left to what answers."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import TooManyFieldsSent
from django.core.handlers.wsgi import WSGIRequest


class ReadableRequest(WSGIRequest):
    """Django reads the query as soon as a request names a charset, where no error becomes an answer yet."""

    _encoding: str | None

    def _set_content_type_params(self, meta: Mapping[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # private, not in the stubs
        except TooManyFieldsSent:
            pass  # whoever reads the query is told again
        except (LookupError, UnicodeError):
            self._encoding = None  # no charset of texts: as little known as one that does not exist
