"""Prometheus figures of the queue and its workers, read when they are scraped."""

from collections import Counter
from collections.abc import Sequence

from prometheus_client.core import GaugeMetricFamily, Metric

from videos.models import Worker
from videos.scheduling.figures import living_workers, queue_lengths


def figures() -> Sequence[Metric]:
    """Items that wait and are rendered, and living workers, over the whole installation; two queries."""
    items = GaugeMetricFamily(
        "zhiying_queue_items", "Video items that wait or are rendered now.", labels=["status"]
    )
    for status, count in queue_lengths().items():
        items.add_metric([status], count)
    workers = GaugeMetricFamily("zhiying_workers", "Worker processes that live.", labels=["state"])
    slots = GaugeMetricFamily("zhiying_worker_slots", "Renders that the living workers can do at once.")
    living = list(living_workers())
    states = Counter(worker.state for worker in living)
    for state in Worker.State.values:
        workers.add_metric([state], states[state])
    slots.add_metric([], sum(worker.slots for worker in living))
    return [items, workers, slots]
