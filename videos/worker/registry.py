"""This process's row among the workers: what it can do, what it does, and that it lives."""

import logging
import os
import socket
import threading
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from django.conf import settings

from engines.base import EngineError, Readiness
from videos.engine_names import worker_engines
from videos.models import Worker
from videos.scheduling.engines import (
    capabilities_of,
    items_at_once,
    local_engines,
    readiness_of,
    remote_engines,
)
from videos.worker.leases import keeper
from videos.worker.remote import carried_items
from videos.worker.stopping import stopping
from videos.worker.trouble import breaker, pause
from zhiying.kernel.clock import database_now
from zhiying.version import VERSION

logger = logging.getLogger(__name__)


class Registration:
    """The row of this process, made at its first beat."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._id = uuid4()
        self._process = 0

    def beat(self) -> None:
        """Say that this process lives, and how it is. By the database's clock."""
        with self._lock:
            if self._process != os.getpid():  # a forked process is another worker
                self._process, self._id = os.getpid(), uuid4()
            facts = {
                "engines": {name: _engine_facts(name) for name in worker_engines()},
                "state": _state(),
                "trouble": _trouble(),
                "rendering": [str(item_id) for item_id in {*keeper.items(), *carried_items()}],
                "slots": _slots(),
                "seen_at": database_now(),
            }
            if not Worker.objects.filter(pk=self._id).update(**facts):
                name = f"{socket.gethostname()}:{os.getpid()}"
                Worker(
                    id=self._id, name=name[:100], version=VERSION, started_at=database_now(), **facts
                ).save(force_insert=True)

    def leave(self) -> None:
        """This process stops: nobody needs to wait for its row to go stale."""
        with self._lock:
            Worker.objects.filter(pk=self._id).delete()


def _state() -> Worker.State:
    if stopping.is_set():
        return Worker.State.STOPPING
    return Worker.State.PAUSED if _trouble() else Worker.State.READY


def _trouble() -> str:
    """Why this process takes no items at all; that of its engines, when none of them can work."""
    if pause.code:
        return pause.code
    codes = [breaker(name).code for name in worker_engines()]
    return codes[0] if codes and all(codes) else ""


def _slots() -> int:
    """Renders and jobs at once, over all engines; local ones share the places."""
    remote = sum(_at_once(name) for name in remote_engines())
    return remote + (int(settings.WORKER_THREADS) if local_engines() or not remote else 0)


def _at_once(engine: str) -> int:
    try:
        return items_at_once(engine)
    except EngineError:
        return int(settings.WORKER_THREADS)


def _engine_facts(name: str) -> dict[str, Any]:
    """What an engine says of itself, as JSON, and what keeps this process from giving it items."""
    ours = {"trouble": breaker(name).code, "slots": _at_once(name)}
    try:
        return {**asdict(readiness_of(name)), **ours, "capabilities": asdict(capabilities_of(name))}
    except EngineError as error:
        return {**asdict(Readiness.no(error)), **ours, "capabilities": {}}


registration = Registration()
"""That of this process."""
