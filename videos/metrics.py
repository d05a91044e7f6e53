"""Prometheus gauges of the queue, read when they are scraped."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from videos.scheduling.figures import queue_lengths


class QueueCollector(Collector):
    """Items that wait and items being rendered, over the whole installation."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gauge = GaugeMetricFamily(
            "zhiying_queue_items", "Video items that wait or are rendered now.", labels=["status"]
        )
        for status, count in queue_lengths().items():
            gauge.add_metric([status], count)
        yield gauge

    def describe(self) -> list[GaugeMetricFamily]:
        # Without this the registry would query the database while Django is still loading.
        return []


def register() -> None:
    REGISTRY.register(QueueCollector())
