"""Figures of the queue for clients, administrators and monitoring."""

from django.db.models import Sum

from videos.models import OPEN_STATUSES, Batch


def queue_lengths() -> dict[str, int]:
    """How many items wait and how many are rendered now, as the open batches count them."""
    return Batch.objects.filter(status__in=OPEN_STATUSES).aggregate(
        pending=Sum("pending_count", default=0), processing=Sum("processing_count", default=0)
    )
