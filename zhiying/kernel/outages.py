"""Tells an outage (a part that we need is away, a disk is full) from a fault of ours.

An outage ends by itself or by an operator's hand, so clients are told to come again: 503 with Retry-After.
"""

import logging
from enum import StrEnum
from errno import EDQUOT, EIO, EMFILE, ENFILE, ENOMEM, ENOSPC, EROFS, ESTALE
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.http import HttpRequest
from django.utils.translation import gettext as _

from zhiying.kernel.counters import Troubled, met_trouble
from zhiying.kernel.responses import error_body

RETRY_AFTER_S = 5
CODE = "unavailable"


class Part(StrEnum):
    """What is away."""

    DATABASE = "database"
    STORAGE = "storage"
    DISK = "disk"
    SYSTEM = "system"


logger = logging.getLogger(__name__)

_FULL = {ENOSPC, EDQUOT, EROFS}
_BROKEN = {EIO, ESTALE}
_EXHAUSTED = {EMFILE, ENFILE, ENOMEM}
_OF_THE_SCHEMA = ("no such table", "no such column")
"""SQLite has one exception for everything; these are faults of ours."""


def outage_of(error: BaseException | None) -> Part | None:
    """The part whose absence an exception, or what caused it, tells of; None for a fault of ours."""
    while error is not None:
        if part := _part(error):
            return part
        error = error.__cause__
    return None


def outage_body(part: Part) -> dict[str, Any]:
    """What clients are told."""
    details = {
        Part.DATABASE: _("The database cannot be reached now. Nothing was lost; try again in a moment."),
        Part.STORAGE: _("The media store cannot be reached now. Nothing was lost; try again in a moment."),
        Part.DISK: _("The server's disk is full. Nothing was charged; try again later."),
        Part.SYSTEM: _("The server is overloaded. Try again in a moment."),
    }
    return error_body(CODE, details[part], part=part.value)


def log_outage(request: HttpRequest, part: Part, error: BaseException) -> None:
    """One line: a traceback for each request that meets the same outage would bury the first."""
    met_trouble(Troubled(part.value))
    first_line = str(error).strip().partition("\n")[0]
    logger.error(
        "%s away: %s %s: %s: %s", part, request.method, request.path, type(error).__name__, first_line
    )


def log_trouble(name: str, error: Exception) -> None:
    """Of what is tried again by itself: one line of an outage, which is met again and again; of a fault all
    there is to know."""
    if part := outage_of(error):
        first_line = str(error).strip().partition("\n")[0]
        logger.error("%s waits, %s away: %s: %s", name, part, type(error).__name__, first_line)
    else:
        logger.error("%s failed; it will be tried again", name, exc_info=error)


def drop_broken_connection() -> None:
    """After an outage: the next query connects anew. Within a transaction its owner does that."""
    if not connection.in_atomic_block:
        close_old_connections()


def outage_headers() -> dict[str, str]:
    return {"Retry-After": str(RETRY_AFTER_S)}


def _part(error: BaseException) -> Part | None:
    if isinstance(error, OperationalError | InterfaceError):
        return None if str(error).startswith(_OF_THE_SCHEMA) else Part.DATABASE
    if isinstance(error, ParamValidationError):
        return None
    if isinstance(error, BotoCoreError | ClientError | Boto3Error):
        return Part.STORAGE
    if isinstance(error, OSError):
        return _part_of_system_error(error)
    return None


def _part_of_system_error(error: OSError) -> Part | None:
    if error.errno in _FULL:
        return Part.DISK
    if error.errno in _BROKEN or isinstance(error, ConnectionError | TimeoutError):
        return Part.STORAGE
    return Part.SYSTEM if error.errno in _EXHAUSTED else None
