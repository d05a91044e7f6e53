"""Jobs of a remote engine: one video each, whatever dies, hangs or is lost on the way."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import User
from tests.scheduling.rendering import refunds
from tests.standins.openai_videos import STATUS, OpenAIVideosServer
from tests.support.books import assert_all_is_settled
from tests.support.parallel import all_at_once, times
from tests.support.rows import make_batch, make_item
from videos.models import ItemStatus, RemoteJob, VideoItem
from videos.scheduling import engines
from videos.scheduling.sweep import sweep
from videos.services import attempts, batches, credentials, remote_jobs
from videos.services.remote_jobs import LostJobError
from videos.worker import remote, remote_hands, trouble
from videos.worker.remote import Carrier
from videos.worker.slots import slots
from videos.worker.stopping import stopping
from videos.worker.trouble import breaker, forget_troubles, pause

pytestmark = pytest.mark.django_db(transaction=True)

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


class Killed(BaseException):
    """What a process does not survive."""


@pytest.fixture
def server(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIVideosServer]:
    """A stand-in of `/v1/videos` as the installation's engine, without pauses on our side."""
    with OpenAIVideosServer().serving() as standing:
        monkeypatch.setenv("OPENAI_VIDEOS_URL", f"{standing.url}/v1")
        monkeypatch.setenv("OPENAI_VIDEOS_SECURED", "yes")
        monkeypatch.setenv("OPENAI_VIDEOS_CONCURRENT", "10")
        settings.GENERATION_ENGINE = "openai-videos"
        settings.ENGINE_CREDENTIAL = standing.key
        settings.HEARTBEAT_S = 0
        settings.RENDER_RETRY_DELAY_S = 0
        for module, name in (
            (remote, "FIRST_LOOK_S"),
            (remote, "LONGEST_LOOK_S"),
            (remote, "TROUBLE_S"),
            (remote, "LONGEST_TROUBLE_S"),
            (trouble, "FIRST_PAUSE_S"),
            (trouble, "LONGEST_PAUSE_S"),
            (engines, "READINESS_KEPT_S"),
        ):
            monkeypatch.setattr(module, name, 0.01)
        engines.remote.cache_clear()
        credentials.forget_cached()
        stopping.clear()
        forget_troubles()
        yield standing
    engines.remote.cache_clear()
    credentials.forget_cached()
    forget_troubles()


@pytest.fixture(scope="module", autouse=True)
def _places() -> Iterator[None]:
    """Results of all tests are finished in the same processes."""
    slots.close()
    yield
    slots.close()


@pytest.fixture
def carrier(server: OpenAIVideosServer) -> Carrier:
    return another()


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


def test_what_the_server_could_not_make_is_refunded(
    user: User, carrier: Carrier, server: OpenAIVideosServer, settings: LazySettings
) -> None:
    settings.RENDER_MAX_TRIES = 1
    item = make_item(user)
    go_on(carrier, sent)
    server.break_off(next(iter(server.jobs)))
    go_on(carrier, nothing_left)
    item.refresh_from_db()
    assert (item.status, item.error_code, refunds()) == (ItemStatus.FAILED, "generation_failed", 1)
    assert_all_is_settled()


@pytest.mark.parametrize("what", ["cancelled", "deleted"])
def test_nobody_pays_for_what_nobody_wants(
    user: User, carrier: Carrier, server: OpenAIVideosServer, what: str
) -> None:
    batch = make_batch(user)
    go_on(carrier, sent)
    if what == "cancelled":
        batches.batch_cancel(batch=batch, acting_user=user)
    else:
        batches.batch_delete(batch=batch, acting_user=user)
    server.fail(503, method="DELETE")
    go_on(carrier, nothing_left)
    assert [job.state for job in server.jobs.values()] == ["cancelled"]
    assert refunds() == 1


def test_what_was_cancelled_while_it_was_sent_is_cancelled_too(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    batch = make_batch(user)
    server.fail("lost", method="POST", path="/v1/videos")
    server.fail(503, method="GET", path="/v1/videos", times=1_000_000)  # nor can it be looked for
    go_on(carrier, lambda: RemoteJob.objects.filter(state="intent", troubles__gte=1).exists())
    batches.batch_cancel(batch=batch, acting_user=user)
    server.faults.clear()
    go_on(carrier, nothing_left)
    assert [job.state for job in server.jobs.values()] == ["cancelled"]


STEPS: dict[str, tuple[str, str]] = {
    "before it was sent": ("_order", "before"),
    "before its answer was written": ("remote_jobs.sent", "before"),
    "after its answer was written": ("remote_jobs.sent", "after"),
    "before its result was fetched": ("_spec", "before"),
    "before its result was shown": ("store_result", "before"),
    "after its result was shown": ("store_result", "after"),
    "before its row was removed": ("remote_jobs.end", "before"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_dies_leaves_one_video(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    name, when = STEPS[step]
    module: Any = remote_jobs if "." in name else remote_hands
    name = name.rpartition(".")[2]
    original = getattr(module, name)

    def killed(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            original(*args, **kwargs)
        raise Killed

    make_item(user)
    with monkeypatch.context() as patched:
        patched.setattr(module, name, killed)
        with pytest.raises(Killed):
            go_on(carrier, lambda: False, server)
    dies(carrier)
    attempts.expire_leases()
    go_on(another(), nothing_left, server)
    item = VideoItem.objects.get()
    assert (item.status, submissions(server), refunds()) == (ItemStatus.COMPLETED, 1, 0)
    assert_all_is_settled()


def test_a_worker_that_comes_back_finds_its_job_with_another(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    make_item(user)
    go_on(carrier, sent)
    dies(carrier)
    other = another()
    go_on(other, lambda: RemoteJob.objects.filter(carrier=other.id).exists())
    for _ in range(3):
        carrier.round()
    assert [job.state for job in server.jobs.values()] == ["waiting"]
    assert carrier.items() == []
    go_on(other, nothing_left, server)
    assert VideoItem.objects.get().status == ItemStatus.COMPLETED


def test_of_workers_who_reach_for_a_job_one_has_it(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    make_item(user)
    go_on(carrier, sent)
    dies(carrier)
    adopted = all_at_once(times(4, lambda: remote_jobs.adopt(uuid4(), ["openai-videos"], 10)))
    assert sorted(len(jobs) for jobs in adopted) == [0, 0, 0, 1]
    assert VideoItem.objects.get().attempt == 2


def test_whoever_has_lost_a_job_changes_nothing_of_it(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    """As a hand would that stood still in the middle of its step."""
    make_item(user)
    go_on(carrier, sent)
    stale = RemoteJob.objects.get()
    dies(carrier)
    other = uuid4()
    remote_jobs.adopt(other, ["openai-videos"], 10)
    for change in (remote_jobs.to_cancel, remote_jobs.count_trouble):
        with pytest.raises(LostJobError):
            change(stale)
    remote_jobs.end(stale)
    job = RemoteJob.objects.get()
    assert (job.carrier, job.state, job.troubles) == (other, "sent", 0)


def test_a_worker_that_was_away_goes_on_with_its_own_jobs(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    make_item(user)
    go_on(carrier, sent)
    dies(carrier)
    assert remote_jobs.adopt(carrier.id, ["openai-videos"], 10) == []
    go_on(carrier, nothing_left, server)
    item = VideoItem.objects.get()
    assert (item.status, item.attempt, submissions(server)) == (ItemStatus.COMPLETED, 1, 1)


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


def test_what_somebody_cancelled_at_the_server_may_be_tried_again(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_item(user)
    go_on(carrier, sent)
    monkeypatch.setitem(STATUS, "cancelled", "cancelled")
    next(iter(server.jobs.values())).state = "cancelled"
    go_on(carrier, nothing_left)
    item = VideoItem.objects.get()
    assert (item.status, item.error_final, refunds(), submissions(server)) == ("failed", False, 1, 1)


def test_a_job_that_takes_too_long_is_given_up_and_cancelled(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    make_item(user)
    go_on(carrier, sent)
    RemoteJob.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    go_on(carrier, nothing_left)
    item = VideoItem.objects.get()
    assert (item.status, item.error_code, refunds()) == (ItemStatus.FAILED, "render_timeout", 1)
    assert [job.state for job in server.jobs.values()] == ["cancelled"]


def test_a_result_that_is_none_is_refunded(user: User, carrier: Carrier, server: OpenAIVideosServer) -> None:
    make_item(user)
    go_on(carrier, sent)
    server.complete(next(iter(server.jobs)), film=b"no film at all" * 100)
    go_on(carrier, nothing_left)
    item = VideoItem.objects.get()
    assert (item.status, item.error_code, refunds()) == (ItemStatus.FAILED, "result_undecodable", 1)


def test_a_result_waits_at_its_server_while_the_store_is_away(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_item(user)
    go_on(carrier, sent)
    with monkeypatch.context() as patched:
        patched.setattr("videos.worker.storing.files.save_file", _away)
        for _ in range(4):
            carrier.round()
            for job in server.jobs.values():
                server.complete(job.id)
        assert VideoItem.objects.get().status == ItemStatus.PROCESSING
    go_on(carrier, nothing_left)
    assert (VideoItem.objects.get().status, submissions(server)) == (ItemStatus.COMPLETED, 1)
    assert_all_is_settled()


def _away(*_: Any) -> int:
    raise ConnectionRefusedError


def test_the_sweep_leaves_jobs_to_their_carriers_and_makes_nothing_again(
    user: User, carrier: Carrier, server: OpenAIVideosServer, settings: LazySettings
) -> None:
    make_item(user)
    go_on(carrier, sent)
    dies(carrier)
    assert attempts.expire_leases() == 0
    assert attempts.reclaim_all() == 0
    RemoteJob.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert remote_jobs.forget_overdue() == 0, "a worker that has the engine comes first"
    left = timezone.now() - timedelta(seconds=remote_jobs.LEASES_LEFT * settings.LEASE_S + 1)
    RemoteJob.objects.update(carried_until=left)
    sweep()
    assert not RemoteJob.objects.exists()
    item = VideoItem.objects.get()
    assert (item.status, item.error_code) == (ItemStatus.FAILED, "render_timeout")
    assert (refunds(), submissions(server)) == (1, 1)
    assert_all_is_settled()
