"""How much is stored for whom, kept in the transactions that change it, and the limit on it."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.models.group import MAX_QUOTA_MB, MAX_RETENTION_DAYS
from videos.models import Batch, StoredBytes
from zhiying.kernel.errors import DomainError

MB = 1_000_000


class QuotaExceededError(DomainError):
    """The user's files would take more room than they may."""

    code = "quota_exceeded"
    status = 413

    def __init__(self, *, used: int, limit: int) -> None:
        super().__init__(
            _(
                "Your files take %(used_mb)d of the %(limit_mb)d MB that you may store, so there is no room "
                "for more. Delete batches that you do not need any more."
            )
            % {"used_mb": -(-used // MB), "limit_mb": limit // MB},
            extra={"used_bytes": used, "limit_bytes": limit},
        )


@dataclass(frozen=True)
class Allowance:
    """What one user may store and for how long; None is without limit."""

    quota_bytes: int | None
    retention_days: int | None


def allowance_of(user: User) -> Allowance:
    """The user's group decides, and where it says nothing the installation; 0 is no limit.

    Groups may be older than the bounds, and settings are checked by whoever starts, not by every process.
    """
    quota_mb, days = settings.QUOTA_MB, settings.RETENTION_DAYS
    if group := user.group:
        quota_mb = quota_mb if group.quota_mb is None else group.quota_mb
        days = days if group.retention_days is None else group.retention_days
    return Allowance(min(quota_mb, MAX_QUOTA_MB) * MB or None, min(days, MAX_RETENTION_DAYS) or None)


def used_by(user_id: UUID) -> int:
    row = StoredBytes.objects.filter(user_id=user_id).first()
    return row.bytes if row else 0


def require_room(user: User, more: int = 0) -> None:
    """Raises:
    QuotaExceededError: `more` bytes do not fit, or nothing does any more.
    """
    limit = allowance_of(user).quota_bytes
    if limit is None:
        return
    used = used_by(user.pk)
    if used + more > limit or used >= limit:
        raise QuotaExceededError(used=used, limit=limit)


def add(user_id: UUID, batch_id: UUID | None, more: int) -> None:
    """Count bytes that were stored for a batch, or are not any more.

    Call it last in a transaction: the user's row is shared by all that is done for them at the moment.
    """
    if not more:
        return
    if batch_id is not None:
        Batch.objects.filter(pk=batch_id).update(stored_bytes=F("stored_bytes") + more)
    mine = StoredBytes.objects.filter(user_id=user_id)
    if not mine.update(bytes=F("bytes") + more):
        StoredBytes.objects.get_or_create(user_id=user_id)
        mine.update(bytes=F("bytes") + more)
