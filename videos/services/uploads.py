"""Uploads that come ahead of their batch: announced, looked at, taken once, or left and removed."""

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import credits as ledger
from videos.media.problems import MediaProblem
from videos.models import DeletionReason, Upload, UploadStatus
from videos.services.intake import InvalidBatchError, SubmittedFile, clean_name, file_problem, summary
from videos.store import deletions, scratch
from videos.store.backends import STORE_ERRORS
from videos.store.direct_uploads import UploadChangedError, upload_store
from videos.store.keys import upload_key
from zhiying.kernel.clock import database_now
from zhiying.kernel.errors import ConflictError, InvalidError, NotFoundError
from zhiying.kernel.outages import drop_broken_connection

LIFETIME = timedelta(days=1)
"""How long an upload waits for its batch."""

BEGINNING = timedelta(minutes=15)
"""How long the store may take to begin what was announced. Until it has, no key is told to anybody."""

LATEST_ARRIVAL = timedelta(hours=2)
"""After the row is gone: until then the signed address of a small file may still take one."""

REMOVED_AT_ONCE = 500
"""Expired uploads that one cleaning removes in one go, so that it never takes for ever."""

TROUBLE_BUDGET_S = 60.0
"""How long one cleaning tries uploads one by one, so that a store that hangs does not hold it."""

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
AUDIO_TYPES = ("audio/mpeg", "audio/mp3", "audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Announced:
    """What a client says of a file that it is going to send."""

    name: str
    size: int
    content_type: str


class InvalidUploadsError(InvalidError):
    """Some of the announced files are not acceptable; `errors` names each of them."""

    code = "invalid_uploads"

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        errors = {"files": problems}
        super().__init__(summary(problems), extra={"errors": errors})


class TooManyUploadsError(ConflictError):
    """The user has as many uploads waiting for a batch as they may."""

    code = "too_many_uploads"


def uploads_begin(*, user: User, files: Sequence[Announced]) -> list[Upload]:
    """Make room for files that the user is going to send.

    Raises:
        InvalidUploadsError: with every file that is not acceptable.
        TooManyUploadsError: together with those that wait for a batch they would be too many or too large.
    """
    problems = [
        file_problem(problem, clean_name(file.name), index)
        for index, file in enumerate(files)
        if (problem := _announced_problem(file))
    ]
    if problems:
        raise InvalidUploadsError(problems)
    uploads = [
        Upload(
            id=uuid4(),
            user=user,
            name=clean_name(file.name),
            size=file.size,
            content_type=file.content_type,
            part_size=settings.UPLOAD_PART_BYTES,
        )
        for file in files
    ]
    with transaction.atomic():
        _, now = ledger.lock_user_at(user.pk)  # so that two calls at once cannot both find room
        for upload in uploads:
            upload.created_at, upload.expires_at = now, now + BEGINNING
        _require_room(user, uploads)
        Upload.objects.bulk_create(uploads)
    # After the commit: the store's answers are not waited for under the lock, and whatever it has begun when
    # this fails has a row that the cleaning finds.
    try:
        store = upload_store()
        for upload in uploads:
            upload.store_id = store.begin(upload)
            upload.expires_at = now + LIFETIME
        Upload.objects.bulk_update(uploads, ["store_id", "expires_at"])
    except Exception:
        _take_back(uploads)
        raise
    return uploads


def _take_back(uploads: Sequence[Upload]) -> None:
    """Nobody will be told these keys: they hold no room. What cannot be removed is the next cleaning's."""
    drop_broken_connection()
    try:
        try:
            _forget(uploads)
        except STORE_ERRORS as error:
            logger.warning(
                "%d uploads that could not begin are left to the cleaning: %s", len(uploads), error
            )
            over = Upload.objects.filter(pk__in=[upload.pk for upload in uploads])
            over.update(expires_at=database_now())
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Uploads that nobody was told of are left to their time: %s", type(error).__name__)


def _announced_problem(file: Announced) -> MediaProblem | None:
    if file.content_type in IMAGE_TYPES:
        kind, limit = "image", settings.IMAGE_MAX_BYTES
    elif file.content_type in AUDIO_TYPES:
        kind, limit = "audio", settings.AUDIO_MAX_BYTES
    else:
        return MediaProblem("upload_type")
    if file.size == 0:
        return MediaProblem(f"{kind}_empty")
    if file.size > limit:
        return MediaProblem(f"{kind}_too_large", {"limit_mb": limit // 1_000_000})
    return None


def _require_room(user: User, uploads: Sequence[Upload]) -> None:
    waiting = Upload.objects.filter(user=user, expires_at__gt=database_now()).exclude(
        status=UploadStatus.USED
    )
    held = waiting.aggregate(count=Count("pk"), size=Sum("size"))
    size = (held["size"] or 0) + sum(upload.size for upload in uploads)
    if (
        held["count"] + len(uploads) > settings.UPLOAD_MAX_OPEN_FILES
        or size > settings.UPLOAD_MAX_OPEN_MB * 1_000_000
    ):
        raise TooManyUploadsError(
            _(
                "Too many uploaded files wait for a batch: at most %(files)d files and %(size_mb)d MB may. "
                "Submit or delete some; whatever is left is deleted after a day."
            )
            % {"files": settings.UPLOAD_MAX_OPEN_FILES, "size_mb": settings.UPLOAD_MAX_OPEN_MB}
        )


def upload_for(user: User, key: UUID) -> Upload:
    """One of the user's own uploads.

    Raises:
        NotFoundError: also for other people's and expired ones.
    """
    upload = Upload.objects.filter(pk=key, user=user, expires_at__gt=database_now()).first()
    if upload is None:
        raise NotFoundError(_("There is no such upload."))
    return upload


def open_upload(key: UUID) -> Upload | None:
    """An upload that may still get parts, whoever's it is: for those who come with a signed URL."""
    return Upload.objects.filter(pk=key, status=UploadStatus.OPEN, expires_at__gt=database_now()).first()


def received_parts(upload: Upload) -> set[int]:
    """Numbers of the parts that have arrived."""
    if upload.status != UploadStatus.OPEN:
        return set(range(1, upload.part_count + 1))
    return upload_store().received(upload)


def upload_discard(*, upload: Upload) -> None:
    """Forget an upload that no batch has taken.

    Raises:
        ConflictError: one has.
        NotFoundError: another request has forgotten it meanwhile.
    """
    try:
        upload.refresh_from_db(fields=["status"])
    except Upload.DoesNotExist:
        raise NotFoundError(_("There is no such upload.")) from None
    if upload.status == UploadStatus.USED:
        raise ConflictError(_("This upload belongs to a batch already."), code="upload_used")
    _forget([upload])


@contextmanager
def fetched(*, user: User, keys: Sequence[str]) -> Iterator[list[SubmittedFile]]:
    """The user's uploads as files on this machine, for as long as the context lasts, in the keys' order.

    Each is read from the store once. A key that cannot be used yields its problem in place of the file:
    unknown (or somebody else's), unfinished, changed since it was sealed, or used (also twice in `keys`).
    """
    with scratch.temporary_folder("upload-") as folder:
        rows = _rows(user, keys)
        seen: set[str] = set()
        files = []
        for index, key in enumerate(keys):
            upload = rows.get(key)
            name = upload.name if upload else clean_name(key)
            try:
                if upload is None:
                    raise MediaProblem("upload_unknown")
                if key in seen:
                    raise MediaProblem("upload_used")
                seen.add(key)
                files.append(SubmittedFile(name, _fetch(upload, Path(folder, str(index)))))
            except MediaProblem as problem:
                files.append(SubmittedFile(name, problem))
        yield _told_apart(files, [rows.get(key) for key in keys])


def _told_apart(files: list[SubmittedFile], rows: Sequence[Upload | None]) -> list[SubmittedFile]:
    """What another request took meanwhile may be gone from the store: then it is used, not unfinished."""
    if not any(isinstance(file.content, MediaProblem) for file in files):
        return files
    ids = [upload.pk for upload in rows if upload]
    used = set(Upload.objects.filter(pk__in=ids, status=UploadStatus.USED).values_list("pk", flat=True))
    return [
        SubmittedFile(file.name, MediaProblem("upload_used")) if upload and upload.pk in used else file
        for file, upload in zip(files, rows, strict=True)
    ]


def _rows(user: User, keys: Sequence[str]) -> dict[str, Upload]:
    """The user's uploads among these keys, by the key as it was sent."""
    ids: dict[str, UUID] = {}
    for key in keys:
        try:
            ids[key] = UUID(key)
        except ValueError:
            continue
    found = Upload.objects.filter(user=user, expires_at__gt=database_now()).in_bulk(list(set(ids.values())))
    # A UUID can be written in many ways; only our own is a key, so that none can pass for two.
    return {key: found[pk] for key, pk in ids.items() if pk in found and key == str(pk)}


def _fetch(upload: Upload, path: Path) -> Path:
    if upload.status == UploadStatus.USED:
        raise MediaProblem("upload_used")
    _seal(upload)
    try:
        with path.open("wb") as target:
            upload_store().read_into(upload, target)
    except UploadChangedError:
        raise MediaProblem("upload_changed") from None
    return path


def _seal(upload: Upload) -> None:
    if upload.status != UploadStatus.OPEN:
        return
    seal = upload_store().seal(upload)
    if seal is None:
        raise MediaProblem("upload_unfinished")
    still_open = Upload.objects.filter(pk=upload.pk, status=UploadStatus.OPEN)
    if not still_open.update(status=UploadStatus.READY, seal=seal):
        # Sealed by another request in the meantime: its seal counts.
        upload.refresh_from_db(fields=["status", "seal"])
        if upload.status == UploadStatus.USED:
            raise MediaProblem("upload_used")
        return
    upload.status, upload.seal = UploadStatus.READY, seal


def uploads_take(*, images: Sequence[str] = (), audio: str = "") -> None:
    """Mark fetched uploads as used, within the transaction that makes use of them.

    An empty text in `images` is the place of something that is not an upload.

    Raises:
        InvalidBatchError: another request was faster with some of them.
    """
    keys = [key for key in (*images, audio) if key]
    uploads = list(Upload.objects.filter(pk__in=keys, status=UploadStatus.READY))
    pks = [upload.pk for upload in uploads]
    taken = Upload.objects.filter(pk__in=pks, status=UploadStatus.READY).update(status=UploadStatus.USED)
    if taken != len(keys):
        raise InvalidBatchError(_lost(images, audio))
    transaction.on_commit(lambda: upload_store().discard(uploads), robust=True)


def _lost(images: Sequence[str], audio: str) -> dict[str, Any]:
    """Who was too late for which upload, in the shape of a rejected batch."""
    keys: Collection[str] = [key for key in (*images, audio) if key]
    rows = {
        str(pk): (name, status)
        for pk, name, status in Upload.objects.filter(pk__in=keys).values_list("pk", "name", "status")
    }
    used = MediaProblem("upload_used")
    errors: dict[str, Any] = {}
    bad = [
        file_problem(used, rows.get(key, (key, ""))[0], index)
        for index, key in enumerate(images)
        if key and rows.get(key, ("", ""))[1] != UploadStatus.READY
    ]
    if bad:
        errors["images"] = bad
    if audio and rows.get(audio, ("", ""))[1] != UploadStatus.READY:
        errors["audio"] = file_problem(used, rows.get(audio, (audio, ""))[0], None)
    return errors


def delete_abandoned() -> int:
    """Remove uploads older than a day with all their traces in the store; returns how many.

    Those that a batch took are among them: their rows say for a day that the key is used. One that the store
    does not let go keeps no other; it is tried again the next time.
    """
    removed, ends_at = 0, time.monotonic() + TROUBLE_BUDGET_S
    kept: list[UUID] = []
    while True:
        due = Upload.objects.filter(expires_at__lte=database_now()).exclude(pk__in=kept)
        expired = list(due.order_by("expires_at")[:REMOVED_AT_ONCE])
        if not expired:
            return removed
        try:
            removed += _forget(expired)
            continue
        except STORE_ERRORS:
            logger.info(
                "Among %d old uploads are some that the store keeps; each is tried alone", len(expired)
            )
        for upload in expired:
            if time.monotonic() > ends_at:
                return removed
            try:
                removed += _forget([upload])
            except STORE_ERRORS as error:
                logger.warning("Upload %s cannot be removed; it is tried again: %s", upload.pk, error)
                kept.append(upload.pk)


def _forget(uploads: Sequence[Upload]) -> int:
    """Remove the files, then the rows; what arrives yet is removed once nothing can arrive any more."""
    upload_store().discard(uploads)
    with transaction.atomic():
        gone = Upload.objects.filter(pk__in=[upload.pk for upload in uploads])
        late = [upload_key(upload.pk) for upload in uploads]
        deletions.remove_later(late, DeletionReason.UPLOAD, LATEST_ARRIVAL)
        return gone.delete()[0]
