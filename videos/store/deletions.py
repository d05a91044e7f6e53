"""The list of what is to be removed from the store, and its working off.

Nothing is removed that is not on the list, and nothing on the list that a row needs. Storing goes:

    intent = deletions.intend(paths, reason)    # on the list, due in some hours
    … store the files …
    with transaction.atomic():
        … rows that point to them …
        deletions.take(intent)                  # off the list, in the same transaction
    deletions.give_up(intent)                   # if that failed: due now, unless it was committed after all

So a crash anywhere leaves an entry, and a COMMIT whose answer was lost leaves none.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from videos.models import Batch, DeletionReason, FileDeletion, Upload, VideoItem
from videos.store import removal
from videos.store.backends import STORE_ERRORS
from videos.store.installation import mark_new_store, require_own_store
from videos.store.keys import BATCHES, batch_prefix, owner_of
from zhiying.kernel.clock import database_now
from zhiying.kernel.outages import drop_broken_connection

INTENT_LIFETIME = timedelta(hours=6)
"""Files that nobody has taken by then belong to nobody: no request and no render takes so long to store."""
FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(hours=1)
ROWS_AT_ONCE = 50
KEYS_BELOW_AT_ONCE = 2000
"""Of one prefix in one go, so that a huge one keeps nobody waiting."""

logger = logging.getLogger(__name__)


class FilesGoneError(Exception):
    """The files were intended too long ago; their removal has begun."""


@dataclass(frozen=True)
class Intent:
    """Entries for files that are about to be stored."""

    ids: tuple[UUID, ...]


def intend(paths: Iterable[str], reason: DeletionReason) -> Intent:
    """Put files on the list before they are stored. Not within the transaction that will take them."""
    mark_new_store()
    due_at = database_now(INTENT_LIFETIME)
    rows = [FileDeletion(id=uuid4(), path=path, reason=reason, due_at=due_at) for path in paths]
    FileDeletion.objects.bulk_create(rows)
    return Intent(tuple(row.pk for row in rows))


def take(intent: Intent) -> None:
    """The files are needed: call in the transaction that makes rows point to them.

    Raises:
        FilesGoneError: too late.
    """
    taken = FileDeletion.objects.filter(pk__in=intent.ids, begun_at=None).delete()[0]
    if taken != len(intent.ids):
        raise FilesGoneError


def give_up(intent: Intent) -> bool:
    """The files are not needed: let them be removed soon. False when they were taken after all, or nobody
    can tell now; then the entries, if there are any, wait for their time.

    A transaction that took them and has not ended yet is waited for.
    """
    drop_broken_connection()
    try:
        given_up = FileDeletion.objects.filter(pk__in=intent.ids).update(due_at=database_now())
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Files are left to their entries in the list: %s", type(error).__name__)
        return False
    return given_up == len(intent.ids)


def remove_later(paths: Iterable[str], reason: DeletionReason, after: timedelta = timedelta()) -> None:
    """Put files on the list that nothing needs any more, in the transaction that makes it so."""
    due_at = database_now(after)
    FileDeletion.objects.bulk_create(
        [FileDeletion(path=path, reason=reason, due_at=due_at) for path in paths if path]
    )


def anything_due() -> bool:
    return FileDeletion.objects.filter(due_at__lte=database_now()).exists()


def work_off(*, budget_s: float = 10.0) -> int:
    """Remove what is due, for about `budget_s`; returns how many entries are done.

    Raises:
        StoreMismatchError: the store is another installation's; nothing was removed.
    """
    done, ends_at = 0, time.monotonic() + budget_s
    while anything_due():
        require_own_store()
        rows = _begin()
        if not rows:
            break  # others are at it
        done += _finish(rows, ends_at)
        if time.monotonic() > ends_at:
            break
    return done


@transaction.atomic
def _begin() -> list[FileDeletion]:
    """Some entries whose files nobody can take from now on. Each comes back later, unless it is done."""
    due = FileDeletion.objects.filter(due_at__lte=database_now()).order_by("due_at")
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    rows = list(due[:ROWS_AT_ONCE])
    by_tries: defaultdict[int, list[UUID]] = defaultdict(list)
    for row in rows:
        by_tries[row.tries].append(row.pk)
    for tries, ids in by_tries.items():
        pause = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(tries, 10))
        FileDeletion.objects.filter(pk__in=ids).update(
            begun_at=Coalesce(F("begun_at"), database_now()),
            due_at=database_now(pause),
            tries=min(tries + 1, 1000),
        )
    return rows


def _finish(rows: list[FileDeletion], ends_at: float) -> int:
    needed = needed_paths(row.path for row in rows)
    for path in needed:
        logger.info("%s is needed; it stays", path)
    done = {row.pk for row in rows if row.path in needed}
    below, nobodys, untried = _keys_below([row for row in rows if row.pk not in done], ends_at)
    done |= nobodys
    failed = removal.remove([key for keys in below.values() for key in keys])
    if failed:
        logger.warning("The store keeps %d files that are to be removed; they are tried again", len(failed))
    more: list[UUID] = []
    for row in rows:
        keys = below.get(row.pk)
        if keys is None or failed.intersection(keys):
            continue
        if len(keys) >= KEYS_BELOW_AT_ONCE:
            more.append(row.pk)
            continue
        if row.path.endswith("/"):
            removal.remove_empty_folders(row.path)
        done.add(row.pk)
    FileDeletion.objects.filter(pk__in=done).delete()
    FileDeletion.objects.filter(pk__in=more).update(due_at=database_now(), tries=0)
    # Not after a pause: they would come back behind the one that hangs.
    late = FileDeletion.objects.filter(pk__in=untried, tries__gt=0)
    late.update(due_at=database_now(), tries=F("tries") - 1)
    return len(done)


def _keys_below(
    rows: list[FileDeletion], ends_at: float
) -> tuple[dict[UUID, list[str]], set[UUID], list[UUID]]:
    """The keys of each entry whose files may be removed, the entries of which that is not so, and those that
    one that hangs left no time for.

    An entry that cannot be listed is in none of them: it comes back after its pause, and keeps no other.
    """
    below: dict[UUID, list[str]] = {}
    nobodys: set[UUID] = set()
    troubled = False
    for place, row in enumerate(rows):
        if troubled and time.monotonic() > ends_at:
            return below, nobodys, [left.pk for left in rows[place:]]
        try:
            below[row.pk] = removal.keys_below(row.path, KEYS_BELOW_AT_ONCE)
        except removal.NotRemovableError:
            logger.exception("%s is not a path whose files may be removed; its entry is dropped", row.path)
            nobodys.add(row.pk)
        except STORE_ERRORS as error:
            logger.warning("%s cannot be listed; it is tried again: %s", row.path, error)
            troubled = True
    return below, nobodys, []


def needed_paths(paths: Iterable[str]) -> set[str]:
    """Those of them that a row needs, whatever any list says."""
    owners = {path: owner for path in paths if (owner := owner_of(path))}
    batches = {owner for kind, owner in owners.values() if kind == BATCHES}
    kept = set(Batch.objects.filter(pk__in=batches, files_removed_at=None).values_list("pk", flat=True))
    single = {owner for path, (_, owner) in owners.items() if not path.endswith("/")} & kept
    keys = keys_of(single)
    uploads = {owner for kind, owner in owners.values() if kind != BATCHES}
    open_uploads = set(Upload.objects.filter(pk__in=uploads).values_list("pk", flat=True))
    whole_batches = {batch_prefix(owner) for owner in kept}
    return {
        path
        for path, (kind, owner) in owners.items()
        if (path in keys | whole_batches if kind == BATCHES else owner in open_uploads)
    }


def keys_of(batch_ids: Collection[UUID]) -> set[str]:
    """All keys that rows of these batches point to."""
    if not batch_ids:
        return set()
    keys = set(Batch.objects.filter(pk__in=batch_ids).values_list("audio", flat=True))
    items = VideoItem.objects.filter(Q(batch_id__in=batch_ids)).order_by()
    for row in items.values_list("source_image", "thumbnail", "video", "poster"):
        keys.update(row)
    return keys - {""}
