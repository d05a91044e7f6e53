"""Claims and leases: what a late worker cannot do, and what keeps a living one's item with it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import User
from tests.support.books import assert_all_is_settled
from tests.support.rows import claim, make_item
from tests.videos.endings import FINAL, RESULT, refunds
from videos.models import Batch, VideoItem
from videos.services import attempts, heartbeats, runs, transitions
from videos.services.attempts import StoredResult

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def expire(item: VideoItem) -> None:
    VideoItem.objects.filter(pk=item.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_late_worker_cannot_finish_fail_or_renew_what_another_took_over(user: User) -> None:
    item = make_item(user)
    late = claim("slow")
    expire(item)
    assert attempts.expire_leases() == 1
    VideoItem.objects.update(not_before=timezone.now())
    current = claim("quick")

    until = VideoItem.objects.get(pk=item.pk).lease_until
    heartbeats.renew([late])
    heartbeats.show_progress(late, 90)
    assert VideoItem.objects.get(pk=item.pk).lease_until == until
    assert not attempts.complete(late, RESULT)
    assert not attempts.fail(late, FINAL)
    assert not attempts.release(late)
    item.refresh_from_db()
    assert (item.status, item.attempt, item.progress, item.video) == ("processing", current.attempt, 0, "")
    assert refunds(item) == 0

    own = StoredResult(video="batches/x/result/y-2.mp4", poster="", duration_s=0.6)
    assert attempts.complete(current, own)
    assert not attempts.complete(late, RESULT)
    item.refresh_from_db()
    assert item.video == own.video
    assert_all_is_settled()


def test_a_late_worker_cannot_finish_what_was_failed_in_its_absence(user: User, settings: Any) -> None:
    settings.RENDER_MAX_TRIES = 1
    item = make_item(user)
    late = claim()
    expire(item)
    assert attempts.expire_leases() == 1
    assert not attempts.complete(late, RESULT)
    assert not attempts.fail(late, FINAL)
    item.refresh_from_db()
    assert (item.status, item.error_code, refunds(item)) == ("failed", "worker_lost", 1)
    assert_all_is_settled()


def test_a_worker_of_an_earlier_run_cannot_finish_a_later_one(user: User) -> None:
    item = make_item(user)
    late = claim()
    runs.cancel_items(batch_id=item.batch_id, user_id=user.pk)
    runs.rerun_items(batch_id=item.batch_id, user_id=user.pk)
    assert not attempts.complete(late, RESULT)
    claim()
    assert not attempts.complete(late, RESULT)
    assert not attempts.fail(late, FINAL)
    assert_all_is_settled()


@pytest.mark.parametrize("first", ["late", "current"])
def test_of_two_claims_of_one_item_in_a_process_the_current_one_is_held_and_renewed(
    user: User, first: str
) -> None:
    """Cancelled and asked for anew, while the process has not noticed yet."""
    item = make_item(user)
    late = claim()
    runs.cancel_items(batch_id=item.batch_id, user_id=user.pk)
    runs.rerun_items(batch_id=item.batch_id, user_id=user.pk)
    current = claim()
    expire(item)
    claims = [late, current] if first == "late" else [current, late]
    assert heartbeats.still_held(claims) == {current}
    heartbeats.renew(claims)
    assert attempts.expire_leases() == 0


@pytest.mark.parametrize("most_tries", [1, 3])
def test_a_lease_that_is_renewed_while_its_item_is_taken_back_counts(
    user: User, settings: Any, monkeypatch: pytest.MonkeyPatch, most_tries: int
) -> None:
    """Whether the item would have been tried again, or failed. Its worker was only slow."""
    settings.RENDER_MAX_TRIES = most_tries
    item = make_item(user)
    slow = claim()
    expire(item)

    def lock_batch(batch_id: UUID) -> Batch | None:
        heartbeats.renew([slow])
        return transitions.lock_batch(batch_id)

    with monkeypatch.context() as patch:
        patch.setattr("videos.services.attempts.lock_batch", lock_batch)
        assert attempts.expire_leases() == 0
    item.refresh_from_db()
    assert (item.status, item.tries, item.attempt, refunds(item)) == ("processing", 1, slow.attempt, 0)
    assert attempts.complete(slow, RESULT)
    assert_all_is_settled()


def test_a_live_lease_is_left_alone(user: User) -> None:
    make_item(user)
    claim()
    assert attempts.expire_leases() == 0


def test_a_heartbeat_renews_the_lease_and_shows_progress(user: User, settings: Any) -> None:
    item = make_item(user)
    claimed = claim()
    expire(item)
    heartbeats.renew([claimed])
    heartbeats.show_progress(claimed, 40)
    item.refresh_from_db()
    assert item.progress == 40
    assert item.lease_until is not None
    assert item.lease_until > timezone.now()
    assert attempts.expire_leases() == 0


@pytest.mark.parametrize(("given", "shown"), [(-5, 0), (100, 99), (1000, 99)])
def test_progress_stays_below_100_until_the_video_is_there(user: User, given: int, shown: int) -> None:
    item = make_item(user)
    heartbeats.show_progress(claim(), given)
    item.refresh_from_db()
    assert item.progress == shown
