"""Links by which finished videos are watched without an account.

A link is 256 random bits, told once and kept as a digest. It shows names and videos and nothing of the
account, ends with its time, its batch or its video, and can be revoked.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import AuditAction, User
from accounts.services import audit_log
from videos.models import Batch, ItemStatus, Share, VideoItem
from videos.services.transitions import lock_batch
from zhiying.kernel.clock import database_now
from zhiying.kernel.errors import ConflictError, NotFoundError

MAX_DAYS = 90
MAX_LINKS = 50
"""Live links of one batch."""
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class MadeShare:
    share: Share
    token: str
    """Told now and never again."""


@transaction.atomic
def share_create(*, batch: Batch, item: VideoItem | None, days: int, acting_user: User) -> MadeShare:
    """A link to a batch, or to one video of it, good for so many days.

    Raises:
        ConflictError: the batch has as many links as it may.
        NotFoundError: somebody has deleted it, or the video, meanwhile.
    """
    # Locked, so that neither goes before the link is written, and nobody else counts the same links.
    if lock_batch(batch.pk) is None:
        raise NotFoundError(_("There is no such batch."))
    if item is not None and not VideoItem.objects.filter(pk=item.pk, batch_id=batch.pk).exists():
        raise NotFoundError(_("There is no such video in this batch."))
    if live_shares(batch).count() >= MAX_LINKS:
        raise ConflictError(
            _("This batch has %(max)d links already. Revoke one first.") % {"max": MAX_LINKS},
            code="too_many_links",
        )
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    share = Share.objects.create(
        token_hash=_digest(token),
        batch=batch,
        item=item,
        made_by=acting_user,
        created_at=database_now(),
        expires_at=database_now(timedelta(days=days)),
    )
    share.refresh_from_db()
    _record(AuditAction.SHARE_CREATE, share, acting_user)
    return MadeShare(share, token)


@transaction.atomic
def share_revoke(*, share: Share, acting_user: User) -> None:
    """End a link at once. Addresses of videos that somebody has opened by it end within hours, as all do."""
    _record(AuditAction.SHARE_REVOKE, share, acting_user)
    share.delete()


def live_shares(batch: Batch) -> "QuerySet[Share]":
    """The batch's links that open something, newest first."""
    return (
        Share.objects.filter(batch=batch, expires_at__gt=database_now())
        .select_related("item")
        .order_by("-created_at", "-id")
    )


def shared_by(token: str) -> Share:
    """What a link opens.

    Raises:
        NotFoundError: it has expired, was revoked, or never was.
    """
    good = Share.objects.filter(token_hash=_digest(token), expires_at__gt=database_now())
    share = good.select_related("batch", "item").first()
    if share is None or share.batch.files_removed:
        raise NotFoundError(_("This link has expired, or was withdrawn."))
    return share


def shown_videos(share: Share) -> list[VideoItem]:
    """The finished videos that the link shows, in order."""
    if share.item:
        return [share.item] if share.item.status == ItemStatus.COMPLETED else []
    return list(share.batch.items.filter(status=ItemStatus.COMPLETED).order_by("position"))


def delete_expired() -> int:
    """Remove links that open nothing any more; returns how many."""
    return Share.objects.filter(expires_at__lt=database_now()).delete()[0]


def _record(action: AuditAction, share: Share, acting_user: User) -> None:
    audit_log.record(
        action,
        acting_user=acting_user,
        target=share.item or share.batch,
        owner=share.batch.user_id,
        name=share.item.original_name if share.item else share.batch.name,
        details={"share_id": share.pk, "expires_at": share.expires_at.isoformat()},
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
