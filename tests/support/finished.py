"""Videos without a worker."""

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.support.rows import claim
from videos.models import VideoItem
from videos.services import attempts
from videos.services.attempts import StoredResult
from videos.store import keys


def finish(content: bytes = b"video") -> VideoItem:
    """Complete the item whose turn it is, with a stored file."""
    claimed = claim()
    key, _poster = keys.result_keys(claimed.batch_id, claimed.item_id, claimed.attempt)
    default_storage.save(key, ContentFile(content))
    assert attempts.complete(claimed, StoredResult(video=key, poster="", duration_s=0.6))
    return VideoItem.objects.get(pk=claimed.item_id)
