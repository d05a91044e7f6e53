"""Figures of the queue for clients, administrators and monitoring."""

from django.db.models import Count

from videos.models import ItemStatus, VideoItem


def queue_lengths() -> dict[str, int]:
    """How many items wait and how many are rendered now."""
    open_statuses = (ItemStatus.PENDING, ItemStatus.PROCESSING)
    counts = dict(
        VideoItem.objects.filter(status__in=open_statuses)
        .order_by()
        .values_list("status")
        .annotate(n=Count("pk"))
    )
    return {
        "pending": counts.get(ItemStatus.PENDING, 0),
        "processing": counts.get(ItemStatus.PROCESSING, 0),
    }
