"""`Idempotency-Key`: the same request twice is done once.

A record is inserted before the work begins, so of requests in parallel one wins and the rest are told
to wait. The answer is saved in the transaction of the work itself: either both exist or neither. While the
work goes on its record is renewed every few seconds; one that is not belongs to a process that died, or
could not say that it failed, and the next request takes it over. Should both live after all, the first to
commit wins, and the other gives the same answer.
Modelled on the IETF draft "The Idempotency-Key HTTP Header Field".
"""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
    transaction,
)
from django.db.models.expressions import Combinable
from django.utils.translation import gettext as _

from zhiying.kernel.clock import database_now
from zhiying.kernel.errors import ConflictError, InvalidError
from zhiying.kernel.models import IdempotencyRecord
from zhiying.kernel.outages import drop_broken_connection
from zhiying.kernel.types import Upload

MAX_KEY_LENGTH = 255
LEASE = timedelta(seconds=10)
BEAT_S = 3.0
"""Between two renewals of a record whose work goes on."""

Answer = tuple[int, dict[str, Any]]
Save = Callable[[int, dict[str, Any]], None]

logger = logging.getLogger(__name__)


class _SupersededError(Exception):
    """Somebody else did the work meanwhile; what was about to be done must not be."""


@dataclass(frozen=True)
class KeyedRequest:
    """Who asks, under which key, for what."""

    user_id: UUID
    key: str
    fingerprint: str


def fingerprint(operation: str, fields: Mapping[str, Any], files: Mapping[str, list[Upload]]) -> str:
    """SHA-256 over what a request means: its fields and each file's field, size and content.

    The raw body would not do: the boundaries of a repeated multipart request differ.
    """
    parts: list[Any] = [operation, sorted((name, str(value)) for name, value in fields.items())]
    for name, uploads in sorted(files.items()):
        parts += [[name, upload.size, _sha256(upload)] for upload in uploads]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _sha256(upload: Upload) -> str:
    digest = hashlib.sha256()
    upload.seek(0)
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()


def perform_once(request: KeyedRequest | None, work: Callable[[Save], Answer]) -> Answer:
    """Do `work` unless the same request was done before; then give its answer again.

    `work` calls the function it is handed inside its own transaction with the answer to keep.

    Raises:
        ConflictError: the first request with this key has not finished (409).
        InvalidError: the key was used for something else (422), or is too long (400).
    """
    if request is None:
        return work(lambda status, body: None)
    record, saved = _begin(request)
    if saved is not None:
        return saved
    unanswered = IdempotencyRecord.objects.filter(
        pk=record.pk, fingerprint=request.fingerprint, status_code=None
    )

    def save(status: int, body: dict[str, Any]) -> None:
        if not unanswered.update(status_code=status, body=body):
            raise _SupersededError

    try:
        with _renewed(record):
            return work(save)
    except _SupersededError:
        return _earlier_answer(_record_of(request), request, gone="request_expired")
    except BaseException as error:
        answer = _settle(record, lost=isinstance(error, OperationalError | InterfaceError))
        if answer is None:
            raise
        return answer


def delete_expired() -> int:
    """Forget answers older than `IDEMPOTENCY_TTL`; returns how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=_oldest()).delete()[0]


def _oldest() -> Combinable:
    """What was asked before that time by the database's clock is forgotten."""
    return database_now(-settings.IDEMPOTENCY_TTL)


def _begin(request: KeyedRequest) -> tuple[IdempotencyRecord, Answer | None]:
    if not request.key or len(request.key) > MAX_KEY_LENGTH or not request.key.isprintable():
        raise InvalidError(_("The Idempotency-Key must have 1 to 255 printable characters."))
    mine = IdempotencyRecord.objects.filter(user_id=request.user_id, key=request.key)
    mine.filter(created_at__lt=_oldest()).delete()
    facts: dict[str, Any] = {
        "fingerprint": request.fingerprint,
        "owner": uuid4(),
        "created_at": database_now(),
        "alive_until": database_now(LEASE),
    }
    record = IdempotencyRecord(user_id=request.user_id, key=request.key, **facts)
    try:
        with transaction.atomic():
            record.save(force_insert=True)
    except IntegrityError:
        abandoned = mine.filter(status_code=None, alive_until__lt=database_now())
        if not abandoned.update(**facts):
            return record, _earlier_answer(mine.first(), request)
        return mine.get(), None
    return record, None


def _record_of(request: KeyedRequest) -> IdempotencyRecord | None:
    return IdempotencyRecord.objects.filter(user_id=request.user_id, key=request.key).first()


@contextmanager
def _renewed(record: IdempotencyRecord) -> Iterator[None]:
    """Say again and again that the work goes on."""
    done = threading.Event()
    threading.Thread(target=_renew, args=(record, done), name="idempotency", daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _renew(record: IdempotencyRecord, done: threading.Event) -> None:
    mine = IdempotencyRecord.objects.filter(pk=record.pk, owner=record.owner, status_code=None)
    try:
        while not done.wait(BEAT_S):
            try:
                mine.update(alive_until=database_now(LEASE))
            except (DatabaseError, InterfaceError) as error:
                logger.info("A request's record was not renewed: %s", type(error).__name__)
                close_old_connections()
    finally:
        connections.close_all()


def _settle(record: IdempotencyRecord, *, lost: bool) -> Answer | None:
    """The work failed: free its key for a corrected attempt.

    Or it did not fail, and only the answer to its commit was lost: then that is what it answered. A database
    that is away leaves the record to its lease.
    """
    drop_broken_connection()
    with suppress(DatabaseError, InterfaceError):
        IdempotencyRecord.objects.filter(pk=record.pk, owner=record.owner, status_code=None).delete()
        found = IdempotencyRecord.objects.filter(pk=record.pk).first() if lost else None
        if found and found.status_code is not None:
            return found.status_code, found.body or {}
    return None


def _earlier_answer(
    earlier: IdempotencyRecord | None, request: KeyedRequest, gone: str = "idempotency_in_flight"
) -> Answer:
    if earlier and earlier.fingerprint != request.fingerprint:
        raise InvalidError(
            _("This Idempotency-Key was used for a different request. Use a new key."),
            code="idempotency_key_reused",
            status=422,
        )
    if earlier is None or earlier.status_code is None:
        raise ConflictError(
            _("The first request with this Idempotency-Key is still in flight. Try again shortly."),
            code=gone,
            headers={"Retry-After": "2"},
        )
    return earlier.status_code, earlier.body or {}
