"""`Idempotency-Key`: the same request twice is done once.

A record is inserted before the work begins, so of requests in parallel one wins and the rest are told
to wait. The answer is saved in the transaction of the work itself: either both exist or neither.
Modelled on the IETF draft "The Idempotency-Key HTTP Header Field".
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhiying.kernel.errors import ConflictError, InvalidError
from zhiying.kernel.models import IdempotencyRecord
from zhiying.kernel.types import Upload

MAX_KEY_LENGTH = 255
ABANDONED_AFTER = timedelta(minutes=10)
"""A request in flight for longer died with its server; its key may be used again."""

Answer = tuple[int, dict[str, Any]]
Save = Callable[[int, dict[str, Any]], None]


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

    def save(status: int, body: dict[str, Any]) -> None:
        kept = IdempotencyRecord.objects.filter(pk=record.pk).update(status_code=status, body=body)
        if not kept:  # taken for abandoned, and the key given to another request: that one does the work
            raise ConflictError(_("The request took too long. Please try again."), code="request_expired")

    try:
        return work(save)
    except BaseException:
        # Nothing was done, so the key is free for a corrected attempt.
        IdempotencyRecord.objects.filter(pk=record.pk, status_code=None).delete()
        raise


def delete_expired() -> int:
    """Forget answers older than `IDEMPOTENCY_TTL`; returns how many."""
    limit = timezone.now() - settings.IDEMPOTENCY_TTL
    return IdempotencyRecord.objects.filter(created_at__lt=limit).delete()[0]


def _begin(request: KeyedRequest) -> tuple[IdempotencyRecord, Answer | None]:
    if not request.key or len(request.key) > MAX_KEY_LENGTH or not request.key.isprintable():
        raise InvalidError(_("The Idempotency-Key must have 1 to 255 printable characters."))
    mine = IdempotencyRecord.objects.filter(user_id=request.user_id, key=request.key)
    now = timezone.now()
    mine.filter(created_at__lt=now - settings.IDEMPOTENCY_TTL).delete()
    mine.filter(created_at__lt=now - ABANDONED_AFTER, status_code=None).delete()
    record = IdempotencyRecord(
        user_id=request.user_id, key=request.key, fingerprint=request.fingerprint, created_at=now
    )
    try:
        with transaction.atomic():
            record.save(force_insert=True)
    except IntegrityError:
        return record, _earlier_answer(mine.first(), request)
    return record, None


def _earlier_answer(earlier: IdempotencyRecord | None, request: KeyedRequest) -> Answer:
    if earlier and earlier.fingerprint != request.fingerprint:
        raise InvalidError(
            _("This Idempotency-Key was used for a different request. Use a new key."),
            code="idempotency_key_reused",
            status=422,
        )
    if earlier is None or earlier.status_code is None:
        raise ConflictError(
            _("The first request with this Idempotency-Key is still in flight. Try again shortly."),
            code="idempotency_in_flight",
            headers={"Retry-After": "2"},
        )
    return earlier.status_code, earlier.body or {}
