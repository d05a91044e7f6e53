"""One video of a batch, deleted for good with its portrait."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import AuditAction, User
from accounts.services import audit_log
from videos.models import FINAL_STATUSES, DeletionReason, ItemStatus, VideoItem
from videos.services import stored_bytes, transitions
from videos.store import deletions
from zhiying.kernel.errors import ConflictError, NotFoundError


@transaction.atomic
def item_delete(*, item: VideoItem, acting_user: User) -> None:
    """Take a video that has ended out of its batch; its files go soon. Nothing is refunded.

    Raises:
        ConflictError: it waits or is rendered, or is all that its batch has.
        NotFoundError: somebody else has deleted it meanwhile.
    """
    batch = transitions.lock_batch(item.batch_id)
    # As it is now that nobody can retry it or replace its image.
    row = batch.items.filter(pk=item.pk).first() if batch else None
    if batch is None or row is None:
        raise NotFoundError(_("There is no such video in this batch."))
    if row.status not in FINAL_STATUSES:
        raise ConflictError(_("This video is not finished yet. Cancel it first."), code="video_open")
    if batch.image_count == 1:
        raise ConflictError(
            _("This is the only video of its batch. Delete the batch instead."), code="last_video"
        )
    transitions.remove(batch, row.pk, ItemStatus(row.status))
    audit_log.record(
        AuditAction.ITEM_DELETE,
        acting_user=acting_user,
        target=row,
        owner=batch.user_id,
        name=row.original_name,
        details={"batch": batch.name, "batch_id": batch.pk, "status": row.status},
    )
    if batch.files_removed:
        return
    deletions.remove_later([row.source_image, row.thumbnail, row.video, row.poster], DeletionReason.VIDEO)
    # Of batches of earlier releases less is known than there is.
    size = min(row.source_bytes + (row.video_bytes or 0), batch.stored_bytes)
    stored_bytes.add(batch.user_id, batch.pk, -size)
