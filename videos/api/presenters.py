"""How batches and items look to clients.

The schema's names and the front end's names for the same values stand side by side here, and nowhere
else.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from videos.models import FINAL_STATUSES, Batch, ItemStatus, VideoItem
from videos.pricing import CREDITS_PER_IMAGE
from videos.scheduling.forecast import QueueSnapshot, elapsed_s
from videos.store.urls import media_url
from zhiying.kernel.translatable import translated


def batch_body(batch: Batch, *, origin: str, queue: QueueSnapshot) -> dict[str, Any]:
    """A batch with its items, which should be prefetched in order of position."""
    items = list(batch.items.all())
    audio_url = media_url(origin, batch.audio)
    return {
        "id": str(batch.pk),
        "userId": str(batch.user_id),
        "user_id": str(batch.user_id),
        "userName": batch.user.username,
        "name": batch.name,
        "status": batch.status,
        "timestamp": int(batch.created_at.timestamp() * 1000),
        "created_at": batch.created_at,
        "prompt": batch.prompt,
        "audioName": batch.audio_name,
        "audio_url": audio_url,
        "audio_duration": round(batch.audio_duration_s, 3),
        "imageCount": batch.image_count,
        "image_count": batch.image_count,
        "creditsUsed": _credits_used(items),
        "items": [item_body(item, origin=origin) for item in items],
        "progress": _progress(batch, items, queue),
    }


def item_body(item: VideoItem, *, origin: str) -> dict[str, Any]:
    source = media_url(origin, item.source_image)
    video = media_url(origin, item.video) if item.status == ItemStatus.COMPLETED else ""
    return {
        "id": str(item.pk),
        "batch_id": str(item.batch_id),
        "position": item.position,
        "original_name": item.original_name,
        "sourceImage": source,
        "source_image_url": source,
        "thumbnail_url": media_url(origin, item.thumbnail),
        "videoUrl": video,
        "video_url": video,
        "poster_url": media_url(origin, item.poster) if video else "",
        "status": item.status,
        "progress": item.progress,
        "elapsed_time": elapsed_s(item),
        "error_code": item.error_code,
        "error_msg": translated(item.error_msg),
        "duration": item.duration_s if video else None,
        "width": item.width,
        "height": item.height,
        "notes": [translated(note) for note in item.notes],
    }


def _credits_used(items: Sequence[VideoItem]) -> int:
    """What the batch costs net of refunds: a failed or cancelled run was given back."""
    kept = [item for item in items if item.status not in (ItemStatus.FAILED, ItemStatus.CANCELLED)]
    return len(kept) * CREDITS_PER_IMAGE


def _progress(batch: Batch, items: Sequence[VideoItem], queue: QueueSnapshot) -> dict[str, Any]:
    counts = Counter(item.status for item in items)
    done = sum(100 if item.status in FINAL_STATUSES else item.progress for item in items)
    forecast = queue.forecast(batch)
    return {
        "overall_progress": done // max(1, len(items)),
        "total": len(items),
        "completed": counts[ItemStatus.COMPLETED],
        "processing": counts[ItemStatus.PROCESSING],
        "pending": counts[ItemStatus.PENDING],
        # a worker takes an item only when it begins to render it, so whatever waits is queued
        "queued": counts[ItemStatus.PENDING],
        "failed": counts[ItemStatus.FAILED],
        "cancelled": counts[ItemStatus.CANCELLED],
        "queue_position": forecast.queue_position,
        "eta_seconds": forecast.eta_s,
        "eta_waiting_seconds": forecast.eta_waiting_s,
        "eta_rendering_seconds": forecast.eta_rendering_s,
    }
