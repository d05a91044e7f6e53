"""What Prometheus scrapes, over all processes of this web server and over the whole queue.

Counters of several gunicorn processes lie in files that prometheus_client adds up (deploy/gunicorn.conf.py).
What is asked of the database has a bound, and its absence is a figure rather than an error.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from videos import metrics as queue_metrics
from zhiying.kernel.counter_files import CountersOfAllProcesses
from zhiying.kernel.questions import Question
from zhiying.readiness import PATIENCE_S, QUESTIONS, readiness

FRESH_S = 1.0

_queue = Question[Sequence[Metric]](queue_metrics.figures, fresh_s=FRESH_S, patience_s=PATIENCE_S)


class PlatformCollector(Collector):
    """Which parts answer, and the figures of the queue where the database does."""

    def collect(self) -> Iterator[Metric]:
        _queue.begin()
        failed = readiness().failed
        answers = GaugeMetricFamily(
            "zhiying_part_up", "Whether a part that the platform needs answers.", labels=["part"]
        )
        for part in QUESTIONS:
            answers.add_metric([part], part not in failed)
        yield answers
        yield from _queue.answer() or ()

    def describe(self) -> list[Metric]:
        return []


def exposition() -> bytes:
    """All figures, in Prometheus' text format."""
    registry = CollectorRegistry()
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        CountersOfAllProcesses(registry, Path(folder))
    else:
        registry.register(REGISTRY)
    registry.register(PlatformCollector())
    return generate_latest(registry)
