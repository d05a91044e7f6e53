"""Results of a server and items of our own, where there is one place to finish a video in."""

import time
from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from accounts.models import User
from tests.scheduling.remote.carrying import all_final, go_on, nothing_left, sent
from tests.standins.openai_videos import OpenAIVideosServer
from tests.support import scripted_engine
from tests.support.books import assert_all_is_settled
from tests.support.rows import make_batch, make_item
from videos.models import ItemStatus, RemoteJob, VideoItem
from videos.services import runs
from videos.worker import remote, runner
from videos.worker.remote import Carrier
from videos.worker.slots import slots

pytestmark = pytest.mark.django_db(transaction=True)

REMOTE, LOCAL = "openai-videos", scripted_engine.NAME
SUCCEED = scripted_engine.prompt("succeed")


@pytest.fixture
def one_place(carrier: Carrier, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Carrier]:
    """A worker with one place, for items that it renders itself and for what its carrier brings."""
    monkeypatch.setenv("EXTRA_ENGINES", scripted_engine.VARIABLE)
    settings.GENERATION_ENGINES = [LOCAL]
    settings.WORKER_THREADS = 1
    slots.close()
    monkeypatch.setitem(remote._carriers, REMOTE, carrier)
    yield carrier
    slots.close()


def done_at_the_server(user: User, carrier: Carrier, server: OpenAIVideosServer) -> VideoItem:
    """An item whose result is there, and known to be, while the only place is taken."""
    item = make_item(user)
    go_on(carrier, sent)
    with slots.taken() as slot:
        assert slot is not None
        go_on(carrier, lambda: carrier.results_waiting() == 1, server)
        item.refresh_from_db()
        assert item.status == ItemStatus.PROCESSING, "nothing is fetched without a place"
    return item


def test_the_place_is_held_for_what_is_done_at_its_server(
    user: User, one_place: Carrier, server: OpenAIVideosServer
) -> None:
    item = done_at_the_server(user, one_place, server)
    ours = make_batch(user, 2, prompt=SUCCEED, engines=[LOCAL])
    assert slots.free() == 1
    assert runner.work_until_idle() == 0
    assert not ours.items.exclude(status=ItemStatus.PENDING).exists()
    go_on(one_place, lambda: VideoItem.objects.get(pk=item.pk).status == ItemStatus.COMPLETED)
    assert one_place.results_waiting() == 0
    assert runner.work_until_idle() == 2
    assert all_final()
    assert_all_is_settled()


def test_no_place_is_held_for_what_cannot_be_fetched_now(
    user: User, one_place: Carrier, server: OpenAIVideosServer
) -> None:
    """Its server is asked again later; nothing of ours stands still meanwhile."""
    item = done_at_the_server(user, one_place, server)
    [carried] = one_place._carried.values()
    carried.due = time.monotonic() + 600
    make_batch(user, prompt=SUCCEED, engines=[LOCAL])
    assert one_place.results_waiting() == 0
    assert runner.work_until_idle() == 1
    carried.due = 0.0
    go_on(one_place, nothing_left)
    item.refresh_from_db()
    assert item.status == ItemStatus.COMPLETED


def test_a_job_that_is_cancelled_needs_no_place(
    user: User, one_place: Carrier, server: OpenAIVideosServer
) -> None:
    item = done_at_the_server(user, one_place, server)
    make_batch(user, 2, prompt=SUCCEED, engines=[LOCAL])
    server.fail("dropped", method="DELETE", times=1_000_000)
    runs.cancel_items(batch_id=item.batch_id, user_id=user.pk)
    go_on(one_place, RemoteJob.objects.filter(state="cancel").exists)
    assert one_place.results_waiting() == 0
    assert runner.work_until_idle() == 2


def test_a_result_that_could_not_be_fetched_has_no_precedence(
    user: User, one_place: Carrier, server: OpenAIVideosServer
) -> None:
    """A server may hang in each download anew: with enough results one of them is always due."""
    done_at_the_server(user, one_place, server)
    make_batch(user, 2, prompt=SUCCEED, engines=[LOCAL])
    server.fail(503, method="GET", path="/v1/videos/", times=1_000_000)
    go_on(one_place, RemoteJob.objects.filter(troubles__gte=1).exists)
    [carried] = one_place._carried.values()
    carried.due = 0.0
    assert one_place.results_waiting() == 0
    assert runner.work_until_idle() == 2
    server.faults.clear()
    go_on(one_place, nothing_left)
    assert_all_is_settled()
