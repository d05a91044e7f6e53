"""Letters about batches."""

from accounts.services import mails
from videos.models import Batch

_ENDED = "videos/mail/batch_ended.txt"


def tell_of_end(batch: Batch) -> None:
    """Once nothing of a batch waits or runs any more, its owner is told, if they want that.

    The batch is locked and as it is now; the letter is written in the caller's transaction.
    """
    if batch.pending_count or batch.processing_count:
        return
    mails.write_when_done(
        batch.user_id,
        _ENDED,
        batch_id=str(batch.pk),
        name=batch.name,
        total=batch.image_count,
        completed=batch.completed_count,
        failed=batch.failed_count,
    )
