"""Threads that start at the same moment, each with a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")

BARRIER_TIMEOUT_S = 300


def all_at_once(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run every job in a thread, released together; returns results and exceptions in the jobs' order."""
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            barrier.wait(BARRIER_TIMEOUT_S)
            return job()
        except Exception as error:  # noqa: BLE001  (the caller asserts on it)
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def times(count: int, job: Callable[[], T]) -> list[Callable[[], T]]:
    """The same job so many times."""
    return [job] * count
