"""Carriers of a stand-in's jobs, whose hands have done everything when they are asked."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.standins.openai_videos import OpenAIVideosServer
from videos.models import RemoteJob, VideoItem
from videos.worker.remote import Carrier

TIMEOUT_S = 60.0


class _AtOnce(Executor):
    """Hands that have done everything when they are asked."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as an executor keeps it
            future.set_exception(error)
        return future


class ShortOfHands(_AtOnce):
    """Of which one cannot be begun: that for the piece of work of this number."""

    def __init__(self, number: int) -> None:
        self.left = number

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.left -= 1
        if not self.left:
            raise RuntimeError("can't start new thread")
        return super().submit(fn, *args, **kwargs)


class Killed(BaseException):
    """What a process does not survive."""


def another() -> Carrier:
    """The carrier of another process."""
    return Carrier("openai-videos", _AtOnce())


def go_on(carrier: Carrier, until: Callable[[], bool], server: OpenAIVideosServer | None = None) -> None:
    """Rounds until a condition holds; with `server` whatever it has is done meanwhile."""
    ends_at = time.monotonic() + TIMEOUT_S
    while time.monotonic() < ends_at:
        if until():
            return
        carrier.round()
        time.sleep(0.01)
        for job in list(server.jobs.values()) if server else []:
            if server and job.state in ("waiting", "running"):
                server.complete(job.id)
    raise AssertionError("it never came so far")


def all_final() -> bool:
    return not VideoItem.objects.filter(status__in=["pending", "processing"]).exists()


def nothing_left() -> bool:
    return all_final() and not RemoteJob.objects.exists()


def sent() -> bool:
    return RemoteJob.objects.filter(state="sent").exists()


def submissions(server: OpenAIVideosServer) -> int:
    return len(server.asked("POST", "/v1/videos"))


def dies(carrier: Carrier) -> None:
    """Its process was killed, and its lease has run out."""
    past = timezone.now() - timedelta(seconds=1)
    RemoteJob.objects.filter(carrier=carrier.id).update(carried_until=past)
    VideoItem.objects.filter(status="processing").update(lease_until=past)
