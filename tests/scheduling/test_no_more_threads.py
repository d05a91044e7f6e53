"""No thread can be started for a moment: afterwards all goes on as if nothing had been."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import Queue
from typing import cast

import psutil
import pytest

from tests.support.no_threads import no_more_threads
from videos.scheduling import hints
from videos.services.attempts import Claim
from videos.worker import lifecycle
from videos.worker.leases import LeaseKeeper, Watch
from videos.worker.remote import Carrier
from videos.worker.renderer import Renderer, RenderLimits

WAIT_S = 60


def test_leases_are_kept_from_the_next_claim_on(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper, claim, looked = LeaseKeeper(), cast("Claim", object()), Queue[Sequence[Watch]]()
    monkeypatch.setattr(keeper, "_look", looked.put)
    with no_more_threads(), pytest.raises(RuntimeError), keeper.watching(claim):
        pass
    assert keeper.items() == []
    with keeper.watching(claim) as watch:
        assert looked.get(timeout=WAIT_S) == [watch]


def test_hints_that_wait_go_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    sender, sent = hints._Sender(), Queue[int]()
    monkeypatch.setattr(hints, "_send", sent.put)
    with no_more_threads():
        sender.ask(2)
    sender.ask(1)
    assert sent.get(timeout=WAIT_S) == 3


def test_a_render_process_that_nobody_would_hear_is_ended() -> None:
    renderer = Renderer("nobody", RenderLimits(time_s=WAIT_S, memory_mb=1000, heartbeat_s=0.1))
    before = psutil.Process().children()
    with no_more_threads(), pytest.raises(RuntimeError):
        renderer.start()
    assert psutil.Process().children() == before
    renderer.start()
    renderer.close()


def test_a_worker_s_own_threads_are_started_as_soon_as_they_can(monkeypatch: pytest.MonkeyPatch) -> None:
    start, tries, done = threading.Thread.start, Queue[None](), threading.Event()

    def refuse_twice(thread: threading.Thread) -> None:
        tries.put(None)
        if tries.qsize() < 3:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(lifecycle, "THREAD_RETRY_S", 0.0)
    monkeypatch.setattr(threading.Thread, "start", refuse_twice)
    lifecycle._start("sweeper", done.set)
    assert done.wait(WAIT_S)


def test_what_no_hand_could_take_is_not_done_later_either() -> None:
    """An executor keeps it, and the round after does it again: a job would be sent twice."""
    hands = ThreadPoolExecutor(2)
    carrier, held, done = Carrier("openai-videos", hands), threading.Event(), Queue[str]()
    carrier._submit(partial(_wait_for, held), lambda: done.put("first"))
    with no_more_threads(), pytest.raises(RuntimeError):
        carrier._submit(lambda: done.put("work"), lambda: done.put("given up"))
    held.set()
    hands.shutdown()
    assert sorted(done.get_nowait() for _ in range(done.qsize())) == ["first", "given up"]


def _wait_for(event: threading.Event) -> None:
    event.wait(WAIT_S)
