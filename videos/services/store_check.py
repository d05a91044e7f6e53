"""Compare what the store holds with what rows point to, both ways, without holding either in memory.

Keys and batches are in the same order, so both are read once, side by side.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import AuditAction, User
from accounts.services import audit_log
from videos.models import Batch, DeletionReason, FileDeletion, Installation, Upload, VideoItem
from videos.services import stored_bytes
from videos.services.transitions import lock_batch
from videos.store import deletions
from videos.store.deletions import INTENT_LIFETIME
from videos.store.files import StoredFile, stored_files
from videos.store.keys import BATCHES, UPLOADS, batch_prefix, owner_of

BATCHES_AT_ONCE = 500
YOUNG = INTENT_LIFETIME + timedelta(hours=1)
"""Younger files may belong to something that is being made."""


@dataclass
class Finding:
    """What is the matter with one batch or upload; `path` is what it is about."""

    path: str
    files: list[StoredFile] = field(default_factory=list)
    """All that the store has of it."""
    orphans: list[str] = field(default_factory=list)
    """Paths that nothing needs and no list names: keys, or a whole prefix."""
    missing: list[str] = field(default_factory=list)
    """Keys that rows point to and the store has not."""
    unknown: list[str] = field(default_factory=list)
    """Keys that are not of our making; they are never removed."""


@dataclass(frozen=True)
class _Known:
    """A batch as rows tell."""

    batch_id: UUID
    keys: frozenset[str]


def compare() -> Iterator[Finding]:
    """Everything below `batches/` and `uploads/`; quiet where all is well, but for its files."""
    yield from _merge(_known_batches(), _stored_by_folder(BATCHES))
    yield from _stray_uploads()


def _merge(rows: Iterator[_Known], folders: Iterator[tuple[str, list[StoredFile]]]) -> Iterator[Finding]:
    row, folder = next(rows, None), next(folders, None)
    while row is not None or folder is not None:
        name = folder[0] if folder else ""
        if row is not None and (folder is None or str(row.batch_id) < name):
            yield Finding(batch_prefix(row.batch_id), missing=sorted(row.keys))
            row = next(rows, None)
        elif row is None or str(row.batch_id) > name:
            yield _without_row(f"{BATCHES}/{name}/", folder[1] if folder else [])
            folder = next(folders, None)
        else:
            yield _with_row(row, folder[1] if folder else [])
            row, folder = next(rows, None), next(folders, None)


def _known_batches() -> Iterator[_Known]:
    last: UUID | None = None
    while True:
        batches = Batch.objects.order_by("pk")
        page = list((batches.filter(pk__gt=last) if last else batches)[:BATCHES_AT_ONCE])
        if not page:
            return
        last = page[-1].pk
        kept = {batch.pk: {batch.audio} for batch in page if not batch.files_removed}
        items = VideoItem.objects.filter(batch_id__in=list(kept)).order_by()
        for batch_id, *keys in items.values_list("batch_id", "source_image", "thumbnail", "video", "poster"):
            kept[batch_id].update(keys)
        for batch in page:
            yield _Known(batch.pk, frozenset(kept.get(batch.pk, set()) - {""}))


def _stored_by_folder(prefix: str) -> Iterator[tuple[str, list[StoredFile]]]:
    for name, files in groupby(stored_files(f"{prefix}/"), key=lambda file: file.key.split("/")[1]):
        yield name, list(files)


def _with_row(row: _Known, files: list[StoredFile]) -> Finding:
    keys = {file.key for file in files}
    prefix = batch_prefix(row.batch_id)
    old = [file.key for file in files if file.key not in row.keys and _is_old(file)]
    # A batch whose whole folder is on the list has no keys any more, and so nothing here is missing.
    listed = _listed([*old, prefix]) if old else set()
    orphans = [] if prefix in listed else [key for key in old if key not in listed]
    return Finding(prefix, files, orphans=orphans, missing=sorted(row.keys - keys))


def _without_row(prefix: str, files: list[StoredFile]) -> Finding:
    if owner_of(prefix) is None:
        return Finding(prefix, files, unknown=[file.key for file in files])
    if not all(map(_is_old, files)) or prefix in _listed([prefix]):
        return Finding(prefix, files)
    return Finding(prefix, files, orphans=[prefix])


def _stray_uploads() -> Iterator[Finding]:
    for name, files in _stored_by_folder(UPLOADS):
        path = f"{UPLOADS}/{name}"
        owner = owner_of(path)
        if owner is None:
            yield Finding(path, files, unknown=[file.key for file in files])
        elif all(map(_is_old, files)) and not Upload.objects.filter(pk=owner[1]).exists():
            keys = [file.key for file in files]
            listed = _listed(keys)
            yield Finding(path, files, orphans=[key for key in keys if key not in listed])


def _listed(paths: Iterable[str]) -> set[str]:
    return set(FileDeletion.objects.filter(path__in=list(paths)).values_list("path", flat=True))


def _is_old(file: StoredFile, now: datetime | None = None) -> bool:
    return file.changed_at < (now or timezone.now()) - YOUNG


@transaction.atomic
def remove_orphans(paths: Sequence[str], *, acting_user: User | None) -> None:
    """Put what nothing needs on the list of deletions."""
    if paths:
        store = Installation.objects.first() or Installation()
        audit_log.record(
            AuditAction.STORE_ORPHANS, acting_user=acting_user, target=store, details={"count": len(paths)}
        )
        deletions.remove_later(paths, DeletionReason.ORPHAN)


@transaction.atomic
def measure(finding: Finding) -> int:
    """Write down how much a batch has stored, from what the store has; returns by how much it was wrong.

    Batches of earlier releases know nothing of it. What is being made is left alone.
    """
    owner = owner_of(finding.path)
    batch = lock_batch(owner[1]) if owner and owner[0] == BATCHES else None
    if batch is None or batch.files_removed or batch.pending_count or batch.processing_count:
        return 0
    sizes = {file.key: file.size for file in finding.files}
    needed = sizes.get(batch.audio, 0)
    for item in batch.items.all():
        source = sizes.get(item.source_image, 0) + sizes.get(item.thumbnail, 0)
        video = sizes.get(item.video)
        if video is not None:
            video += sizes.get(item.poster, 0)
        needed += source + (video or 0)
        if (item.source_bytes, item.video_bytes) != (source, video):
            VideoItem.objects.filter(pk=item.pk).update(source_bytes=source, video_bytes=video)
    wrong = needed - batch.stored_bytes
    stored_bytes.add(batch.user_id, batch.pk, wrong)
    return wrong
