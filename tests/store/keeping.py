"""What must be true of store and rows: each has what the other needs, once the list is worked off."""

from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from tests.support.rows import claim
from videos.models import DeletionReason, FileDeletion, VideoItem
from videos.services import attempts
from videos.services.attempts import StoredResult
from videos.store import deletions, files, keys
from videos.store.deletions import keys_of
from videos.store.installation import MARKER


def finish(folder: Path, content: bytes = b"video") -> VideoItem:
    """Store a result for the item whose turn it is and complete it, as a worker does."""
    claimed = claim()
    video, poster = keys.result_keys(claimed.batch_id, claimed.item_id, claimed.attempt)
    intent = deletions.intend([video, poster], DeletionReason.ATTEMPT)
    source = folder / "result"
    source.write_bytes(content)
    size = files.save_file(source, video)
    poster_size = files.save_file(source, poster)
    result = StoredResult(video, poster, 0.6, video_bytes=size, poster_bytes=poster_size)
    assert attempts.complete(claimed, result, intent)
    return VideoItem.objects.get(pk=claimed.item_id)


def stored_keys(prefix: str = "") -> set[str]:
    return {file.key for file in files.stored_files(prefix)} - {MARKER}


def needed_keys() -> set[str]:
    return keys_of(set(VideoItem.objects.values_list("batch_id", flat=True)))


def let_time_pass() -> None:
    """Everything on the list is due."""
    FileDeletion.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def work_all_off() -> None:
    """Once more than once: what was begun and failed comes back."""
    let_time_pass()
    while deletions.work_off():
        pass


def assert_store_and_rows_agree() -> None:
    work_all_off()
    assert stored_keys() == needed_keys()
    assert not FileDeletion.objects.exists()
