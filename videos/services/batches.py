"""Batches: created with their charge, renamed, cancelled, deleted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import AuditAction, User
from accounts.services import audit_log, usage
from accounts.services import credits as ledger
from accounts.services.credits import Run
from videos.media.problems import MediaProblem
from videos.models import Batch, DeletionReason, VideoItem
from videos.pricing import LEAST, price_of_video
from videos.services import retention, routing, runs, stored_bytes, transitions
from videos.services.announcements import announce_work
from videos.services.intake import InvalidBatchError, PreparedFiles, PreparedPortrait, file_problem
from videos.store import deletions, keys
from videos.store import files as stored
from videos.store.files import FileSource
from zhiying.kernel import tracing
from zhiying.kernel.clock import database_now
from zhiying.kernel.errors import ConflictError, InvalidError, NotFoundError

MAX_NAME_LENGTH = 200


@dataclass(frozen=True)
class Created:
    """A new batch and what its owner has left."""

    batch: Batch
    price_per_image: int
    credits_left: int


def batch_create(
    *,
    user: User,
    acting_user: User,
    name: str,
    prompt: str,
    files: PreparedFiles,
    on_created: Callable[[Created], None] = lambda created: None,
) -> Created:
    """Charge and create a batch from proven files; its items wait for a worker.

    The files are stored first, under keys nobody knows yet; then one transaction writes the charge, the
    batch, its items and whatever `on_created` adds. If it fails, the files are removed in time.

    Raises:
        InsufficientCreditsError, QuotaExceededError: nothing was created.
    """
    price = price_of_video(files.audio_duration_s, files.route.engine)
    require_credits(user, price * len(files.portraits))
    batch = Batch(
        id=uuid4(),
        user=user,
        prompt=prompt,
        audio_name=files.audio_name,
        audio_duration_s=files.audio_duration_s,
        image_count=len(files.portraits),
    )
    routing.set_out(batch, files.route)
    batch.audio = keys.audio_key(batch.pk)
    stored_bytes.require_room(user, size_of(files))
    intent = deletions.intend([keys.batch_prefix(batch.pk)], DeletionReason.CREATION)
    created: Created | None = None
    try:
        batch.stored_bytes = _put(files.audio, batch.audio, files.audio_name, None)
        items = [_stored_item(batch, index, one, price) for index, one in enumerate(files.portraits)]
        batch.stored_bytes += sum(item.source_bytes for item in items)
        with transaction.atomic():
            created = _insert(batch, name, items)
            _record(AuditAction.BATCH_CREATE, batch, acting_user, images=len(items))
            on_created(created)
            announce_work(len(items))
            stored_bytes.require_room(user, batch.stored_bytes)
            stored_bytes.add(batch.user_id, None, batch.stored_bytes)
            deletions.take(intent)
    except BaseException as error:
        given_up, ours = deletions.give_up(intent), Batch.objects.filter(pk=batch.pk)
        if created is None or given_up or not _was_committed(error, ours):
            raise
        announce_work(len(files.portraits))
    return created


def size_of(files: PreparedFiles) -> int:
    """Bytes that a batch of these files will store."""
    images = [source for one in files.portraits for source in (one.portrait, one.thumbnail)]
    return sum(map(stored.size_of, [files.audio, *images]))


def _put(source: FileSource, key: str, name: str, index: int | None) -> int:
    """Store a file of a submission; returns its bytes. `index` is an image's place, None the recording."""
    try:
        return stored.put_file(source, key)
    except stored.SourceGoneError:  # deleted since it was looked up
        problem = file_problem(MediaProblem("stored_gone"), name, index)
        raise InvalidBatchError({"audio": problem} if index is None else {"images": [problem]}) from None


def _was_committed(error: BaseException, proof: "QuerySet[Any]") -> bool:
    """Whether the answer to a commit was lost on its way, and what was written is there."""
    return isinstance(error, OperationalError | InterfaceError) and proof.exists()


def require_least_credits(user: User, images: int) -> None:
    """A no before files are decoded: whatever the recording's length, a video costs something."""
    require_credits(user, images * LEAST)


def require_credits(user: User, price: int) -> None:
    """An early no, before files are stored; the charge itself is guarded again."""
    user.refresh_from_db(fields=["credits"])
    if user.credits < price:
        raise ledger.InsufficientCreditsError(required=price, available=user.credits)


def _stored_item(batch: Batch, index: int, portrait: PreparedPortrait, price: int) -> VideoItem:
    item = VideoItem(
        id=uuid4(),
        batch=batch,
        position=index,
        original_name=portrait.original_name,
        width=portrait.width,
        height=portrait.height,
        price=price,
    )
    item.source_image = keys.source_key(batch.pk, item.pk)
    item.thumbnail = keys.thumbnail_key(batch.pk, item.pk)
    item.source_bytes = _put(portrait.portrait, item.source_image, portrait.original_name, index)
    item.source_bytes += _put(portrait.thumbnail, item.thumbnail, portrait.original_name, index)
    return item


def _insert(batch: Batch, name: str, items: list[VideoItem]) -> Created:
    _, now = ledger.lock_user_at(batch.user_id)  # so that two default names of one user cannot collide
    batch.created_at = now
    batch.expires_at = retention.expiry_for(batch.user, now)
    batch.name = name.strip()[:MAX_NAME_LENGTH] or _default_name(batch.user_id, now)
    charged = [Run(batch.pk, item.pk, item.run, item.price) for item in items]
    left = transitions.charge(batch, charged, note=batch.name)
    trace = tracing.current()
    for item in items:
        item.trace = trace
        item.queued_at = item.not_before = database_now()  # a fast clock here must not make it wait
    transitions.enqueue(batch, items)
    batch.save(force_insert=True)
    VideoItem.objects.bulk_create(items)
    usage.record(user_id=batch.user_id, batches=1)
    return Created(batch, items[0].price, left)


def _default_name(user_id: UUID, now: datetime) -> str:
    """批次 2026-11-22, and (2), (3) … for the user's further batches of that day.

    Only those are read: the user is locked meanwhile, however many batches they ever made.
    """
    day = timezone.localdate(now)
    base, midnight = f"批次 {day:%Y-%m-%d}", timezone.make_aware(datetime.combine(day, time.min))
    named = Batch.objects.filter(user_id=user_id, created_at__gte=midnight, name__startswith=base)
    taken = set(named.values_list("name", flat=True))
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base} ({number})"
    return name


@transaction.atomic
def batch_rename(*, batch: Batch, name: str, acting_user: User) -> Batch:
    """Give a batch another name of 1 to 200 characters."""
    name = name.strip()
    if not 0 < len(name) <= MAX_NAME_LENGTH:
        raise InvalidError(_("A name has 1 to %(max)d characters.") % {"max": MAX_NAME_LENGTH})
    Batch.objects.filter(pk=batch.pk).update(name=name, version=F("version") + 1)
    _record(AuditAction.BATCH_RENAME, batch, acting_user, new_name=name)
    batch.name = name
    return batch


@transaction.atomic
def batch_cancel(*, batch: Batch, acting_user: User) -> int:
    """Cancel everything of a batch that waits or runs; returns how many items."""
    count = runs.cancel_items(batch_id=batch.pk, user_id=batch.user_id)
    if count:
        _record(AuditAction.BATCH_CANCEL, batch, acting_user, videos=count)
    return count


@transaction.atomic
def batch_first(*, batch: Batch, acting_user: User) -> int:
    """Let what waits of a batch be served before everybody else's; returns how many items."""
    count = runs.put_first(batch_id=batch.pk, user_id=batch.user_id)
    if count:
        _record(AuditAction.BATCH_FIRST, batch, acting_user, videos=count)
        announce_work(count)
    return count


@transaction.atomic
def batch_delete(*, batch: Batch, acting_user: User) -> None:
    """Cancel and refund what has not finished, then remove rows and files. The ledger stays."""
    cancelled = runs.cancel_items(batch_id=batch.pk, user_id=batch.user_id)
    audit_log.record(
        AuditAction.BATCH_DELETE,
        acting_user=acting_user,
        target=batch,
        owner=batch.user_id,
        name=batch.name,
        details={"images": batch.image_count, "cancelled": cancelled},
    )
    left = Batch.objects.filter(pk=batch.pk).values_list("stored_bytes", flat=True).first()
    if Batch.objects.filter(pk=batch.pk).delete()[0]:
        stored_bytes.add(batch.user_id, None, -(left or 0))
        deletions.remove_later([keys.batch_prefix(batch.pk)], DeletionReason.BATCH)


@transaction.atomic
def item_cancel(*, item: VideoItem, acting_user: User) -> None:
    """Cancel one item.

    Raises:
        ConflictError: it has ended already.
    """
    if not runs.cancel_items(batch_id=item.batch_id, user_id=item.batch.user_id, item_ids=[item.pk]):
        raise ConflictError(_("This video has finished already; there is nothing to cancel."))
    _record_item(AuditAction.ITEM_CANCEL, item, acting_user)


@transaction.atomic
def item_retry(*, item: VideoItem, acting_user: User) -> None:
    """Charge one failed or cancelled item again and queue it.

    Raises:
        ConflictError: it has not failed, or its files are gone.
        InsufficientCreditsError: nothing was charged.
    """
    if not runs.rerun_items(batch_id=item.batch_id, user_id=item.batch.user_id, item_ids=[item.pk]):
        raise _not_retryable()
    _record_item(AuditAction.ITEM_RETRY, item, acting_user)
    announce_work()


def item_replace(
    *,
    item: VideoItem,
    portrait: PreparedPortrait,
    acting_user: User,
    on_replaced: Callable[[], None] = lambda: None,
) -> None:
    """Give a failed or cancelled item another image and retry it, at today's price.

    `on_replaced` is called within the transaction.

    Raises:
        ConflictError: it has not failed, or its files are gone.
        InsufficientCreditsError, QuotaExceededError: nothing was charged.
    """
    stored_bytes.require_room(item.batch.user)
    run = item.run + 1
    stem = uuid4()  # two replacements at once must not share a key
    source, thumbnail = (
        keys.source_key(item.batch_id, stem, run),
        keys.thumbnail_key(item.batch_id, stem, run),
    )
    intent = deletions.intend([source, thumbnail], DeletionReason.REPLACEMENT)
    try:
        size = _put(portrait.portrait, source, portrait.original_name, 0)
        size += _put(portrait.thumbnail, thumbnail, portrait.original_name, 0)
        with transaction.atomic():
            old = _replaced_files(item)
            replaced = runs.rerun_items(
                batch_id=item.batch_id,
                user_id=item.batch.user_id,
                item_ids=[item.pk],
                replacement={
                    "source_image": source,
                    "thumbnail": thumbnail,
                    "source_bytes": size,
                    "original_name": portrait.original_name,
                    "width": portrait.width,
                    "height": portrait.height,
                },
            )
            if not replaced:
                raise _not_retryable()
            _record_item(AuditAction.ITEM_REPLACE, item, acting_user)
            on_replaced()
            deletions.remove_later([old.source_image, old.thumbnail], DeletionReason.REPLACEMENT)
            stored_bytes.add(item.batch.user_id, item.batch_id, size - old.source_bytes)
            deletions.take(intent)
    except BaseException as error:
        ours = VideoItem.objects.filter(pk=item.pk, source_image=source)
        if deletions.give_up(intent) or not _was_committed(error, ours):
            raise
    announce_work()


def _replaced_files(item: VideoItem) -> VideoItem:
    """The item as it is now that nobody else can replace its image: another request may have."""
    ledger.lock_user(item.batch.user_id)
    transitions.lock_batch(item.batch_id)
    try:
        item.refresh_from_db(fields=["source_image", "thumbnail", "source_bytes"])
    except VideoItem.DoesNotExist:
        raise NotFoundError(_("There is no such video in this batch.")) from None
    return item


@transaction.atomic
def batch_retry_failed(*, batch: Batch, acting_user: User, where_it_helps: bool = False) -> int:
    """Charge all failed and cancelled items of a batch again and queue them; returns how many.

    With `where_it_helps` those are left out that would fail again with the same files.

    Raises:
        ConflictError: its files are gone.
    """
    count = runs.rerun_items(batch_id=batch.pk, user_id=batch.user_id, where_it_helps=where_it_helps)
    if count:
        _record(AuditAction.BATCH_RETRY, batch, acting_user, videos=count)
    announce_work(count)
    return count


def _record(action: AuditAction, batch: Batch, acting_user: User, **details: Any) -> None:
    audit_log.record_unless_owner(
        action, acting_user=acting_user, target=batch, owner=batch.user_id, name=batch.name, details=details
    )


def _record_item(action: AuditAction, item: VideoItem, acting_user: User) -> None:
    audit_log.record_unless_owner(
        action,
        acting_user=acting_user,
        target=item,
        owner=item.batch.user_id,
        name=item.original_name,
        details={"batch": item.batch.name, "batch_id": item.batch_id},
    )


def _not_retryable() -> ConflictError:
    return ConflictError(_("Only failed or cancelled videos can be retried."))
