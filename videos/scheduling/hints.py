"""Wake-up messages. They say that there is work, not which: losing or repeating one does no harm.

Nobody waits for the broker: hints are counted, and a thread of the process sends them. Workers look
into the database by themselves every few seconds, whatever the broker does.
"""

import logging
import os
import threading
from typing import Any

import dramatiq
from django.dispatch import receiver
from dramatiq.brokers.stub import StubBroker

from videos.services.announcements import work_waiting
from zhiying.kernel.counters import Troubled, met_trouble

QUEUE = "generation"
WORK_ACTOR = "work"
MAX_HINTS = 50
"""Hints sent at once; a worker that finishes an item takes the next without one."""

logger = logging.getLogger(__name__)


def wake_workers(count: int = 1) -> None:
    """Have up to `MAX_HINTS` hints sent soon; returns at once."""
    if count <= 0:
        return
    if isinstance(dramatiq.get_broker(), StubBroker):
        _send(count)  # in this process: nothing to wait for
    else:
        _sender.ask(count)


def _send(count: int) -> None:
    broker = dramatiq.get_broker()
    try:
        for _ in range(min(count, MAX_HINTS)):
            broker.enqueue(
                dramatiq.Message(queue_name=QUEUE, actor_name=WORK_ACTOR, args=(), kwargs={}, options={})
            )
    except Exception as error:  # noqa: BLE001  (whatever a broker raises: the rows are safe, only the hint is late)
        met_trouble(Troubled.BROKER)
        logger.warning("Could not send a hint to the workers: %s", type(error).__name__)


class _Sender:
    """A thread that sends what was asked for since it sent last. Made anew in a forked process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wanted = 0
        self._process = 0

    def ask(self, count: int) -> None:
        with self._changed:
            self._wanted = min(MAX_HINTS, self._wanted + count)
            if self._process != os.getpid():
                try:
                    threading.Thread(target=self._run, name="hints", daemon=True).start()
                except RuntimeError:  # no more threads in this process: these hints go with the next ones
                    logger.warning("Hints wait: no thread can be started")
                    return
                self._process = os.getpid()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._wanted:
                    self._changed.wait()
                count, self._wanted = self._wanted, 0
            _send(count)


_sender = _Sender()


def _forget_the_lock() -> None:
    """A fork may have copied the lock while another thread held it."""
    global _sender
    _sender = _Sender()


os.register_at_fork(after_in_child=_forget_the_lock)


@receiver(work_waiting)
def _wake_for_work(count: int, **kwargs: Any) -> None:
    wake_workers(count)
