"""What a log line looks like: as text for a terminal, or as JSON for whoever collects logs.

Both carry what the line belongs to (request, user, batch, item, attempt, …), which whoever knows it binds
once: `with belongs_to(item=…)`. Times are ISO 8601 in UTC.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, get_contextvars

from zhiying.kernel.redaction import Redaction

TEXT = "{asctime} {levelname:<7} {name}: {message}"

Secrets = Callable[[], Sequence[str]]


@contextmanager
def belongs_to(**ids: object) -> Iterator[None]:
    """All lines of this thread within the context carry these ids; empty ones are left out."""
    with bound_contextvars(**_named(ids)):
        yield


def begin(**ids: object) -> None:
    """Forget what this thread's lines belonged to; from now on they carry these ids."""
    clear_contextvars()
    bind_contextvars(**_named(ids))


def also_belongs_to(**ids: object) -> None:
    """From now on this thread's lines carry these ids as well."""
    bind_contextvars(**_named(ids))


def _named(ids: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in ids.items() if value not in (None, "")}


class TextLines(logging.Formatter):
    """One line, or several with a traceback, without secrets."""

    # Django sets the process's own zone to TIME_ZONE, which other processes do not share.
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, secrets: Secrets = tuple) -> None:
        super().__init__(TEXT, style="{")
        self._redacted = Redaction(secrets)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        ids = " ".join(f"{name}={value}" for name, value in get_contextvars().items())
        return super().formatMessage(record) + (f" [{ids}]" if ids else "")

    def format(self, record: logging.LogRecord) -> str:
        return self._redacted(super().format(record))


class JsonLines(TextLines):
    """One JSON object a line: time, level, logger, message, process, the ids, an exception's traceback."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            **get_contextvars(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        # Each value by itself: a secret in quotes is found only before they are escaped.
        for name, value in fields.items():
            if isinstance(value, str):
                fields[name] = self._redacted(value)
        return orjson.dumps(fields).decode()


FORMATTERS: Mapping[str, type[TextLines]] = {"text": TextLines, "json": JsonLines}
"""By the values of LOG_FORMAT."""
