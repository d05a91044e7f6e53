"""Each item is sent once, whatever its server says or is lost on the way."""

import sys
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import User
from tests.scheduling.remote.carrying import another, dies, go_on, nothing_left, sent, submissions
from tests.scheduling.rendering import refunds
from tests.standins.openai_videos import OpenAIVideosServer
from tests.standins.server import Answer, Job, Request
from tests.support.books import assert_all_is_settled
from tests.support.rows import make_batch, make_item
from videos.models import ItemStatus, RemoteJob, VideoItem
from videos.scheduling import engines
from videos.services import credentials
from videos.store.backends import disk_path
from videos.worker import remote_hands, trouble
from videos.worker.remote import Carrier
from videos.worker.trouble import breaker, pause

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_batch_goes_its_way(user: User, carrier: Carrier, server: OpenAIVideosServer) -> None:
    batch = make_batch(user, 2)
    go_on(carrier, lambda: len(server.jobs) == 2)
    first, _ = server.jobs.values()
    server.begin(first.id)
    first.progress = 0.5
    go_on(carrier, batch.items.filter(status="processing", progress=47).exists)
    go_on(carrier, nothing_left, server)
    for item in batch.items.all():
        assert (item.status, item.progress, item.tries) == (ItemStatus.COMPLETED, 100, 1)
        assert (item.video_width, item.poster != "", item.video_bytes is not None) == (96, True, True)
    assert submissions(server) == 2
    assert_all_is_settled()


def test_no_more_is_sent_than_the_engine_takes(
    user: User, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_VIDEOS_CONCURRENT", "1")
    engines.remote.cache_clear()
    carrier, other = another(), another()
    make_batch(user, 3)
    for _ in range(3):
        carrier.round()
        other.round()
    assert submissions(server) == 1


def test_an_answer_that_was_lost_sends_nothing_twice(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    make_item(user)
    server.fail("lost", method="POST", path="/v1/videos")
    go_on(carrier, nothing_left, server)
    assert (submissions(server), VideoItem.objects.get().status) == (1, ItemStatus.COMPLETED)


def add_others(number: int, server: OpenAIVideosServer) -> None:
    for each in range(number):
        server.jobs[f"other-{each}"] = Job(f"other-{each}", 1.0, state="done")


def lost_behind(others: int, user: User, carrier: Carrier, server: OpenAIVideosServer) -> None:
    """An item whose job is at the server, unheard, with so many newer ones of others."""
    make_item(user)
    server.fail("lost", method="POST", path="/v1/videos")
    server.fail(503, method="GET", path="/v1/videos", times=1_000_000)
    go_on(carrier, lambda: bool(server.jobs) and RemoteJob.objects.filter(troubles__gte=1).exists())
    add_others(others, server)
    server.faults.clear()


def test_an_answer_that_was_lost_is_found_behind_pages_of_others(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    lost_behind(250, user, carrier, server)
    go_on(carrier, nothing_left, server)
    assert (submissions(server), VideoItem.objects.get().status) == (1, ItemStatus.COMPLETED)


def test_a_list_whose_pages_are_all_alike_is_read_once(
    server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_others(250, server)
    monkeypatch.setattr(server, "page", lambda _query: OpenAIVideosServer.page(server, {"limit": "100"}))
    assert engines.remote("openai-videos").find(uuid4(), timezone.now()) is None
    assert len(server.asked("GET", "/v1/videos")) == 2


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_page_that_is_refused_does_not_say_that_a_job_is_not_there(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """The video that a page was to follow may be deleted meanwhile."""
    lost_behind(150, user, carrier, server)
    troubles = RemoteJob.objects.get().troubles
    with monkeypatch.context() as refusing:
        refuse_later_pages(refusing, server, status)
        go_on(carrier, RemoteJob.objects.filter(state="intent", troubles__gt=troubles + 1).exists)
    go_on(carrier, nothing_left, server)
    assert (submissions(server), VideoItem.objects.get().status) == (1, ItemStatus.COMPLETED)


def refuse_later_pages(patch: pytest.MonkeyPatch, server: OpenAIVideosServer, status: int) -> None:
    usual = server.answer

    def answer(request: Request) -> Answer:
        return Answer.of({}, status) if "after" in request.query else usual(request)

    patch.setattr(server, "answer", answer)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_portrait_that_cannot_be_read_is_refunded_after_its_tries(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    path = disk_path(make_item(user).source_image)
    path.unlink()
    path.symlink_to("/proc/self/mem")  # is there, and reading it is an I/O error
    go_on(carrier, nothing_left)
    item = VideoItem.objects.get()
    assert (item.status, item.error_final, refunds(), submissions(server)) == ("failed", False, 1, 0)
    assert_all_is_settled()


@pytest.mark.parametrize("kind", ["dropped", 429, 503])
def test_what_was_not_taken_waits_and_costs_no_try(
    user: User, carrier: Carrier, server: OpenAIVideosServer, kind: str | int
) -> None:
    make_item(user)
    server.fail(kind, method="POST", path="/v1/videos", times=5)
    go_on(carrier, nothing_left, server)
    item = VideoItem.objects.get()
    assert (item.status, item.tries) == (ItemStatus.COMPLETED, 1)
    assert refunds() == 0


def test_what_a_server_that_is_not_there_was_to_get_waits_again_at_once(
    user: User, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be there, so nobody has to ask for it, and the item may go elsewhere."""
    monkeypatch.setenv("OPENAI_VIDEOS_URL", "http://127.0.0.1:1/v1")
    engines.remote.cache_clear()
    item = make_item(user)
    monkeypatch.setattr(trouble, "FIRST_PAUSE_S", 600.0)
    monkeypatch.setattr(trouble, "LONGEST_PAUSE_S", 600.0)
    go_on(carrier, lambda: breaker("openai-videos").code != "")
    item.refresh_from_db()
    assert (item.status, item.tries) == (ItemStatus.PENDING, 0)
    assert not RemoteJob.objects.exists()


def test_a_refused_credential_stops_the_engine_and_fails_nothing(
    user: User, carrier: Carrier, server: OpenAIVideosServer, settings: LazySettings
) -> None:
    settings.ENGINE_CREDENTIAL = "sk-wrong-0123456789"
    item = make_item(user)
    for _ in range(5):
        carrier.round()
    item.refresh_from_db()
    assert (item.status, item.tries) == (ItemStatus.PENDING, 0)
    assert (breaker("openai-videos").code, pause.code) == ("engine_unavailable", "")
    settings.ENGINE_CREDENTIAL = server.key
    credentials.forget_cached()
    go_on(carrier, nothing_left, server)
    item.refresh_from_db()
    assert item.status == ItemStatus.COMPLETED


def test_what_a_late_worker_sent_is_cancelled(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It froze before it sent; another found no job and let the item wait again."""
    make_item(user)
    original = remote_hands._order

    def frozen(*args: Any) -> Any:
        order = original(*args)
        monkeypatch.undo()
        dies(carrier)
        late = another()
        late.round()
        return order

    monkeypatch.setattr(remote_hands, "_order", frozen)
    carrier.round()
    assert [job.state for job in server.jobs.values()].count("cancelled") == 1


def test_what_a_restarted_server_forgot_is_sent_again(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    make_item(user)
    go_on(carrier, sent)
    server.forget(next(iter(server.jobs)))
    go_on(carrier, nothing_left, server)
    item = VideoItem.objects.get()
    assert (item.status, submissions(server), item.tries) == (ItemStatus.COMPLETED, 2, 2)
