"""Errors of the domain. Services raise them; the API turns them into answers."""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """Something the client can be told: a stable `code`, a sentence, an HTTP status.

    `extra` is merged into the answer's body, `headers` into its headers.
    """

    code = "error"
    status = 400

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        status: int | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(str(detail))
        self.detail = detail
        self.code = code or self.code
        self.status = status or self.status
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


class InvalidError(DomainError):
    """The input is not acceptable."""

    code = "invalid"
    status = 400


class NotFoundError(DomainError):
    """There is no such thing, or it belongs to somebody else."""

    code = "not_found"
    status = 404


class ConflictError(DomainError):
    """The state of the thing forbids the action."""

    code = "conflict"
    status = 409
