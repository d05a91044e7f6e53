"""Prometheus figures of the queue and its workers, read when they are scraped."""

from collections import Counter
from collections.abc import Sequence

from prometheus_client.core import GaugeMetricFamily, Metric

from videos.engine_names import all_engines, name_of
from videos.models import Worker
from videos.scheduling.figures import EngineQueue, living_workers, places_of, queues_by_engine


def figures() -> Sequence[Metric]:
    """Items that wait and are rendered, and living workers, over the whole installation; two queries."""
    return [*_queue(), *_workers()]


def _queue() -> Sequence[Metric]:
    items = GaugeMetricFamily(
        "zhiying_queue_items", "Video items that wait or are rendered now.", labels=["engine", "status"]
    )
    oldest = GaugeMetricFamily(
        "zhiying_queue_oldest_seconds",
        "How long ago the item that waits longest could have been taken; 0 when none waits.",
        labels=["engine"],
    )
    queues = {name: EngineQueue(name, 0, 0, 0.0) for name in all_engines()}  # there when nothing waits, too
    for queue in queues_by_engine():
        name = name_of(queue.engine)
        queues[name] = queues[name] + queue if name in queues else queue
    for engine, queue in queues.items():
        items.add_metric([engine, "pending"], queue.pending)
        items.add_metric([engine, "processing"], queue.processing)
        oldest.add_metric([engine], queue.oldest_s)
    return [items, oldest]


def _workers() -> Sequence[Metric]:
    workers = GaugeMetricFamily("zhiying_workers", "Worker processes that live.", labels=["state"])
    slots = GaugeMetricFamily("zhiying_worker_slots", "Renders that the living workers can do at once.")
    living = list(living_workers())
    states = Counter(worker.state for worker in living)
    for state in Worker.State.values:
        workers.add_metric([state], states[state])
    slots.add_metric([], places_of(living))
    return [workers, slots]
