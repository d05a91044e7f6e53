"""Workers that die, freeze or come back: each job has one carrier, and each item one video."""

from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from tests.scheduling.remote.carrying import (
    Killed,
    ShortOfHands,
    another,
    dies,
    go_on,
    nothing_left,
    sent,
    submissions,
)
from tests.scheduling.rendering import refunds
from tests.standins.openai_videos import OpenAIVideosServer
from tests.support.books import assert_all_is_settled
from tests.support.parallel import all_at_once, times
from tests.support.rows import make_item
from videos.models import ItemStatus, RemoteJob, VideoItem
from videos.services import attempts, remote_jobs
from videos.services.remote_jobs import LostJobError
from videos.worker import remote_hands
from videos.worker.remote import Carrier

pytestmark = pytest.mark.django_db(transaction=True)


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
    adopted = all_at_once(times(4, lambda: list(remote_jobs.adopt(uuid4(), ["openai-videos"], 10))))
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
    assert list(remote_jobs.adopt(other, ["openai-videos"], 10))
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
    go_on(carrier, nothing_left, server)
    item = VideoItem.objects.get()
    assert (item.status, item.attempt, submissions(server)) == (ItemStatus.COMPLETED, 1, 1)


@pytest.mark.parametrize("number", range(1, 6))
def test_what_no_hand_could_be_begun_for_is_done_in_another_round(
    user: User, server: OpenAIVideosServer, number: int
) -> None:
    make_item(user)
    hands = ShortOfHands(number)
    carrier = Carrier("openai-videos", hands)
    with suppress(RuntimeError):
        go_on(carrier, nothing_left, server)
    go_on(carrier, nothing_left, server)
    assert hands.left < 0
    assert (submissions(server), VideoItem.objects.get().status) == (1, ItemStatus.COMPLETED)
    assert_all_is_settled()
