"""Files are kept for as long as the installation or the user's group says; rows stay.

A batch carries the day its files go (`expires_at`), so that it can be told long before. A retry puts it off.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User, UserGroup
from videos.models import Batch, DeletionReason
from videos.services import stored_bytes
from videos.services.stored_bytes import allowance_of
from videos.services.transitions import lock_batch
from videos.store import deletions, keys
from zhiying.kernel.clock import database_time
from zhiying.kernel.errors import ConflictError

NOTICE = timedelta(days=7)
"""Batches that are older than a new rule allows are announced for so long, or for the rule's own period."""
ANNOUNCED_AT_ONCE = 1000
EXPIRED_AT_ONCE = 200


class FilesRemovedError(ConflictError):
    """The batch's files are gone for good."""

    code = "files_removed"

    def __init__(self) -> None:
        super().__init__(
            _("The files of this batch were removed when their retention period was over. Submit it again.")
        )


def expiry_for(user: User, now: datetime) -> datetime | None:
    """When the files of a batch submitted or retried now are removed; None if never."""
    days = allowance_of(user).retention_days
    return now + timedelta(days=days) if days else None


def put_off(batch: Batch, now: datetime) -> None:
    """A retry begins the period again. The batch is locked; `now` is the database's.

    Raises:
        FilesRemovedError: too late.
    """
    if batch.files_removed:
        raise FilesRemovedError
    expiry = expiry_for(batch.user, now)
    if expiry != batch.expires_at:
        Batch.objects.filter(pk=batch.pk).update(expires_at=expiry)


def announce() -> int:
    """Give those batches a day that came under a rule after they were made; returns how many, at most
    `ANNOUNCED_AT_ONCE`."""
    ruled = _under_a_rule()
    if ruled is None:
        return 0
    batches = list(ruled.select_related("user__group").order_by("created_at")[:ANNOUNCED_AT_ONCE])
    now = database_time()
    for batch in batches:
        period = timedelta(days=allowance_of(batch.user).retention_days or 0)
        batch.expires_at = max(batch.created_at + period, now + min(period, NOTICE))
    Batch.objects.bulk_update(batches, ["expires_at"], batch_size=200)
    Batch.objects.filter(pk__in=[batch.pk for batch in batches]).update(version=F("version") + 1)
    return len(batches)


def _under_a_rule() -> "QuerySet[Batch] | None":
    """Batches whose files have no day although their users have a rule; None where there are no rules."""
    rule = Q()
    if UserGroup.objects.filter(retention_days__gt=0).exists():
        rule |= Q(user__group__retention_days__gt=0)
    if settings.RETENTION_DAYS:
        rule |= Q(user__group=None) | Q(user__group__retention_days=None)
    return Batch.objects.filter(rule, files_removed_at=None, expires_at=None) if rule else None


def expire() -> int:
    """Remove the files of batches whose day has come and of which nothing is open; returns how many, at
    most `EXPIRED_AT_ONCE`."""
    now = database_time()
    due = Batch.objects.filter(
        files_removed_at=None, expires_at__lte=now, pending_count=0, processing_count=0
    )
    ids = list(due.order_by("expires_at").values_list("pk", flat=True)[:EXPIRED_AT_ONCE])
    for batch_id in ids:
        _expire(batch_id, now)
    return len(ids)


@transaction.atomic
def _expire(batch_id: UUID, now: datetime) -> None:
    batch = lock_batch(batch_id)
    if batch is None or batch.files_removed or batch.expires_at is None or batch.expires_at > now:
        return
    if batch.pending_count or batch.processing_count:
        return
    row = Batch.objects.filter(pk=batch_id)
    # The rules may have become kinder since the day was announced.
    days = allowance_of(batch.user).retention_days
    if days is None or batch.created_at + timedelta(days=days) > now:
        later = None if days is None else batch.created_at + timedelta(days=days)
        row.update(expires_at=later, version=F("version") + 1)
        return
    row.update(files_removed_at=now, stored_bytes=0, version=F("version") + 1)
    deletions.remove_later([keys.batch_prefix(batch_id)], DeletionReason.RETENTION)
    stored_bytes.add(batch.user_id, None, -batch.stored_bytes)
