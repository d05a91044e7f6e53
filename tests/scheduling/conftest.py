"""The scripted engine, in the real child process."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from django.conf import LazySettings

from tests.support.scripted_engine import NAME, VARIABLE
from videos.worker.slots import slots
from videos.worker.stopping import stopping
from videos.worker.trouble import forget_troubles

THREAD_TIMEOUT_S = 120


@pytest.fixture
def scripted(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[LazySettings]:
    """Items are rendered by the scripted engine, with quick heartbeats and retries; gives the settings."""
    monkeypatch.setenv("EXTRA_ENGINES", VARIABLE)
    settings.GENERATION_ENGINE = NAME
    settings.HEARTBEAT_S = 0.1
    settings.RENDER_RETRY_DELAY_S = 0
    stopping.clear()
    yield settings
    slots.close()
    forget_troubles()
    stopping.clear()


@pytest.fixture
def broker() -> Iterator[Any]:
    """The in-process broker, without messages before and after."""
    broker: Any = dramatiq.get_broker()
    broker.flush_all()
    yield broker
    broker.flush_all()


@pytest.fixture
def worker(broker: Any, scripted: LazySettings) -> Iterator[dramatiq.Worker]:
    """A Dramatiq worker with two threads and its sweeper, as `manage.py serve` runs it."""
    scripted.SWEEP_INTERVAL_S = 0.2
    worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    yield worker
    worker.stop(timeout=THREAD_TIMEOUT_S * 1000)
    for thread in threading.enumerate():
        if thread.name in {"sweeper", "cleaner", "poller", "registration", "renderers", "leases"}:
            thread.join(THREAD_TIMEOUT_S)


def rendering_processes(folder: Path) -> list[int]:
    """Ids of the processes that have rendered, from what the scripted engine wrote down."""
    return [int(line) for path in folder.iterdir() for line in path.read_text().split()]
