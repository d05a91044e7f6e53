"""Jobs that end otherwise than with a video: what is refunded, cancelled at the server, or waits."""

from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from engines.base import RenderResult
from tests.scheduling.remote.carrying import dies, go_on, nothing_left, sent, submissions
from tests.scheduling.rendering import refunds
from tests.standins.openai_videos import STATUS, OpenAIVideosServer
from tests.support.books import assert_all_is_settled
from tests.support.rows import make_batch, make_item, make_user
from videos.models import ItemStatus, RemoteJob, VideoItem
from videos.scheduling.sweep import sweep
from videos.services import attempts, batches, remote_jobs
from videos.services.attempts import Claim, Verdict
from videos.store import deletions, files, removal
from videos.worker import remote_hands
from videos.worker.remote import Carrier
from videos.worker.renderer import Renderer, RenderFailedError

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_an_overdue_job_whose_user_is_held_keeps_no_other_from_its_end(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that looks after all jobs waits for none: their leases would run out meanwhile."""
    held, same_user, free = make_item(user), make_item(user), make_item(make_user())
    go_on(carrier, lambda: submissions(server) == 3)
    RemoteJob.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    fail, calls = attempts.fail, Counter[UUID]()

    def one_is_held(claim: Claim, verdict: Verdict) -> bool:
        calls[claim.item_id] += 1
        if claim.user_id == user.pk:
            raise OperationalError("canceling statement due to lock timeout")
        return fail(claim, verdict)

    with monkeypatch.context() as patched:
        patched.setattr(attempts, "fail", one_is_held)
        carrier.round()
        assert calls[free.pk] == 1
        assert calls[held.pk] + calls[same_user.pk] == 1
    go_on(carrier, nothing_left)
    assert set(VideoItem.objects.values_list("error_code", flat=True)) == {"render_timeout"}
    assert refunds() == 3


def test_a_result_that_is_none_is_refunded(user: User, carrier: Carrier, server: OpenAIVideosServer) -> None:
    make_item(user)
    go_on(carrier, sent)
    server.complete(next(iter(server.jobs)), film=b"no film at all" * 100)
    go_on(carrier, nothing_left)
    item = VideoItem.objects.get()
    assert (item.status, item.error_code, refunds()) == (ItemStatus.FAILED, "result_undecodable", 1)


def test_a_result_that_waited_for_the_store_is_tried_as_often_as_any(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_item(user)
    go_on(carrier, sent)
    with monkeypatch.context() as patched:
        patched.setattr("videos.worker.storing.files.save_file", _away)
        go_on(carrier, RemoteJob.objects.filter(troubles__gte=4).exists, server)
    render, tries = Renderer.render, Counter[str]()

    def crashes(self: Renderer, *args: Any) -> RenderResult:
        tries["in all"] += 1
        if tries["in all"] < remote_hands.FINISHING_TRIES:
            raise RenderFailedError("render_crashed", retryable=True)
        return render(self, *args)

    monkeypatch.setattr(Renderer, "render", crashes)
    go_on(carrier, nothing_left, server)
    assert VideoItem.objects.get().status == ItemStatus.COMPLETED
    assert submissions(server) == 1


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


@pytest.mark.parametrize("stored", [0, 1])
def test_a_result_fetched_again_outlives_the_removal_of_its_first_files(
    user: User, carrier: Carrier, server: OpenAIVideosServer, monkeypatch: pytest.MonkeyPatch, stored: int
) -> None:
    """The store fails after so many of the first, whose removal arrives when the second is shown."""
    make_item(user)
    go_on(carrier, sent)
    save, remove, saved, removed = files.save_file, removal.remove, list[str](), list[str]()

    def fail_once(path: Path, key: str) -> int:
        saved.append(key)
        if len(saved) == stored + 1:
            raise ConnectionResetError
        return save(path, key)

    def remove_late(keys: Collection[str]) -> set[str]:
        if keys:
            removed.extend(keys)
            go_on(carrier, nothing_left, server)
        return remove(keys)

    monkeypatch.setattr(files, "save_file", fail_once)
    monkeypatch.setattr(removal, "remove", remove_late)
    go_on(carrier, lambda: len(saved) == stored + 1, server)
    deletions.work_off()
    item = VideoItem.objects.get()
    assert item.status == ItemStatus.COMPLETED
    assert set(removed) >= set(saved[: stored + 1])
    assert default_storage.exists(item.video)
    assert default_storage.exists(item.poster)


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


def test_one_job_that_cannot_be_failed_keeps_no_other_from_its_end(
    user: User,
    carrier: Carrier,
    server: OpenAIVideosServer,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_batch(user, 2)
    go_on(carrier, lambda: RemoteJob.objects.filter(state="sent").count() == 2)
    dies(carrier)
    left = timezone.now() - timedelta(seconds=remote_jobs.LEASES_LEFT * settings.LEASE_S + 1)
    past = timezone.now() - timedelta(seconds=60)
    RemoteJob.objects.update(ends_at=past + timedelta(seconds=30), carried_until=left)
    stubborn = RemoteJob.objects.all()[0]
    RemoteJob.objects.filter(pk=stubborn.pk).update(ends_at=past)  # it comes first
    original = attempts.fail

    def fail(claim: Any, *told: Any) -> Any:
        original(claim, *told)
        if claim.item_id == stubborn.item_id:
            raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(attempts, "fail", fail)
        assert remote_jobs.forget_overdue() == 1
    assert RemoteJob.objects.get().pk == stubborn.pk
    assert VideoItem.objects.get(pk=stubborn.item_id).status == ItemStatus.PROCESSING, "or neither"
    assert refunds() == 1
    assert remote_jobs.forget_overdue() == 1
    assert refunds() == 2
    assert_all_is_settled()
