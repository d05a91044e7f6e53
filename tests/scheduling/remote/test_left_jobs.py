"""Jobs that a carrier does not know of, and claims of one item beside each other."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from tests.scheduling.remote.carrying import another, dies, go_on, nothing_left, sent, submissions
from tests.standins.openai_videos import OpenAIVideosServer
from tests.support.rows import make_batch, make_item
from videos.models import ItemStatus, RemoteJob, VideoItem
from videos.services import attempts, batches, remote_jobs
from videos.worker.remote import Carrier
from videos.worker.stopping import stopping
from videos.worker.trouble import forget_troubles

pytestmark = [pytest.mark.django_db(transaction=True)]


def ask_anew(item: VideoItem, user: User) -> None:
    batches.item_cancel(item=item, acting_user=user)
    batches.item_retry(item=VideoItem.objects.get(pk=item.pk), acting_user=user)


def states(server: OpenAIVideosServer) -> list[str]:
    return [job.state for job in server.jobs.values()]


def test_one_job_that_cannot_be_taken_over_costs_no_other_its_carrier(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_batch(user, 3)
    go_on(carrier, lambda: RemoteJob.objects.filter(state="sent").count() == 3)
    dies(carrier)
    other, take_over, calls = another(), remote_jobs._take_over, []

    def held_once(job: RemoteJob, *args: Any) -> bool:
        calls.append(job)
        if len(calls) == 2:
            raise OperationalError("canceling statement due to lock timeout")
        return take_over(job, *args)

    monkeypatch.setattr(remote_jobs, "_take_over", held_once)
    other.round()
    assert len(other.items()) >= 2, "the first and the third"
    forget_troubles()
    go_on(other, nothing_left, server)
    assert submissions(server) == 3


@pytest.mark.parametrize("step", ["begin", "_take_over"])
def test_a_job_of_which_its_carrier_never_heard_is_gone_on_with(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Its row was written, and the answer to the COMMIT was lost."""
    make_item(user)
    if step == "_take_over":
        go_on(carrier, sent)
        dies(carrier)
        carrier = another()
    write = getattr(remote_jobs, step)

    def lost(*args: Any, **kwargs: Any) -> None:
        write(*args, **kwargs)
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patched:
        if step == "_take_over":  # the COMMIT is that of whoever calls it
            patched.setattr(remote_jobs, "try_briefly", lambda act, **_: lost_after(act))
        else:
            patched.setattr(remote_jobs, step, lost)
        carrier.round()
    assert carrier.items() == []
    assert RemoteJob.objects.get().carrier == carrier.id
    RemoteJob.objects.update(carried_until=timezone.now() - timedelta(seconds=1))
    forget_troubles()
    go_on(carrier, nothing_left, server)
    assert VideoItem.objects.get().status == ItemStatus.COMPLETED
    assert submissions(server) == 1


def lost_after(act: Any) -> None:
    act()
    raise OperationalError("server closed the connection unexpectedly")


def test_a_carrier_keeps_no_row_that_it_does_not_know_of(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    make_batch(user, 2)
    go_on(carrier, lambda: len(carrier.items()) == 2)
    first, second = RemoteJob.objects.order_by("pk")
    soon = timezone.now() + timedelta(seconds=1)
    RemoteJob.objects.update(carried_until=soon)
    remote_jobs.renew(carrier.id, [first.pk])
    assert RemoteJob.objects.get(pk=first.pk).carried_until > soon
    assert RemoteJob.objects.get(pk=second.pk).carried_until == soon


def test_the_job_of_a_cancelled_item_is_cancelled_beside_the_one_that_follows(
    user: User, carrier: Carrier, server: OpenAIVideosServer, settings: LazySettings
) -> None:
    item = make_item(user)
    go_on(carrier, sent)
    settings.HEARTBEAT_S = 3600  # the carrier does not look meanwhile
    ask_anew(item, user)
    go_on(carrier, lambda: submissions(server) == 2)
    settings.HEARTBEAT_S = 0
    go_on(carrier, lambda: states(server) == ["cancelled", "waiting"])
    go_on(carrier, nothing_left, server)
    assert VideoItem.objects.get().status == ItemStatus.COMPLETED


def test_adopting_the_job_of_a_cancelled_item_does_not_cancel_the_one_that_follows(
    user: User, carrier: Carrier, server: OpenAIVideosServer
) -> None:
    item = make_item(user)
    go_on(carrier, sent)
    ask_anew(item, user)
    other = another()
    go_on(other, lambda: RemoteJob.objects.filter(carrier=other.id, state="sent").exists())
    past = timezone.now() - timedelta(seconds=1)
    RemoteJob.objects.filter(carrier=carrier.id).update(carried_until=past)
    go_on(other, lambda: states(server) == ["cancelled", "waiting"])
    go_on(other, nothing_left, server)
    assert VideoItem.objects.get().status == ItemStatus.COMPLETED
    assert submissions(server) == 2


def test_a_statement_that_fails_while_the_worker_stops_costs_no_result(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_item(user)
    go_on(carrier, sent)
    complete, calls = attempts.complete, []

    def interrupted(*args: Any) -> bool:
        calls.append(args)
        if len(calls) == 1:
            stopping.set()
            raise OperationalError("canceling statement due to lock timeout")
        return complete(*args)

    monkeypatch.setattr(attempts, "complete", interrupted)
    go_on(carrier, lambda: bool(calls), server)
    assert VideoItem.objects.get().status == ItemStatus.COMPLETED


@pytest.mark.parametrize("verdict", ["complete", "fail"])
def test_what_could_not_be_written_before_the_end_is_written_by_the_next(
    user: User,
    carrier: Carrier,
    server: OpenAIVideosServer,
    monkeypatch: pytest.MonkeyPatch,
    verdict: str,
) -> None:
    """Nothing is made again, and nobody pays twice."""
    make_item(user)
    go_on(carrier, sent)
    (job,) = server.jobs.values()
    monkeypatch.setattr("videos.worker.verdicts.PATIENCE_OF_STOPPING_S", 0)
    monkeypatch.setattr("videos.worker.verdicts.STOPPING_PAUSE_S", 0)
    calls: list[Any] = []

    def away(*args: Any) -> bool:
        calls.append(args)
        stopping.set()
        raise OperationalError("the database system is shutting down")

    with monkeypatch.context() as patched:
        patched.setattr(attempts, verdict, away)
        if verdict == "fail":
            server.complete(job.id, film=b"no film at all" * 100)
            go_on(carrier, lambda: bool(calls))
        else:
            go_on(carrier, lambda: bool(calls), server)
        carrier.stop(0)
    stopping.clear()
    dies(carrier)
    attempts.expire_leases()
    go_on(another(), nothing_left, server)
    wanted = ItemStatus.COMPLETED if verdict == "complete" else ItemStatus.FAILED
    assert VideoItem.objects.get().status == wanted
    assert submissions(server) == 1


def test_what_a_hand_is_at_is_not_let_go(user: User, carrier: Carrier, server: OpenAIVideosServer) -> None:
    """Another would look for the job, not find it yet, and send it a second time."""
    make_batch(user, 2)
    go_on(carrier, lambda: RemoteJob.objects.filter(state="sent").count() == 2)
    at_work, idle = RemoteJob.objects.order_by("pk")
    remote_jobs.let_go(carrier.id, but=[at_work.pk])
    assert [job.pk for job in remote_jobs.adopt(another().id, ["openai-videos"], 10)] == [idle.pk]
