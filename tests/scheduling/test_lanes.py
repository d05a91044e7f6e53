"""Lanes: weights, what administrators put first, counters that are always true, and locks of others."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User, UserGroup
from tests.support.books import assert_all_is_settled
from tests.support.parallel import all_at_once
from tests.support.rows import claim, client_for, make_batch, make_item, make_user
from videos.models import Batch, QueueLane, VideoItem
from videos.scheduling.claims import claim_next
from videos.services import attempts, batches, heartbeats, runs
from videos.services.attempts import StoredResult, Verdict

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

RESULT = StoredResult(video="batches/x/result/y-1.mp4", poster="", duration_s=0.6)
FAILURE = Verdict("no_face", "No face was found in the portrait.")


def test_a_user_of_weight_two_gets_twice_the_renders() -> None:
    heavy, light = make_user(), make_user()
    heavy.group = UserGroup.objects.create(name="press", queue_weight=2)
    heavy.save()
    make_batch(heavy, 8), make_batch(light, 8)
    served = Counter(claim().user_id for _ in range(6))
    assert served == {heavy.pk: 4, light.pk: 2}


def test_what_an_administrator_puts_first_comes_first(admin: User, user: User) -> None:
    make_batch(make_user(), 3)
    own = make_batch(user, 1)
    wanted = make_batch(user, 2)
    answer = client_for(admin).post(f"/api/admin/batches/{wanted.pk}/first")
    assert (answer.status_code, answer.json()["count"]) == (200, 2)
    assert [claim().batch_id for _ in range(2)] == [wanted.pk, wanted.pk]
    assert own.pk in {claim().batch_id for _ in range(2)}
    assert client_for(admin).post(f"/api/admin/batches/{wanted.pk}/first").json()["count"] == 0
    assert_all_is_settled()


def test_only_administrators_put_something_first(user: User, client: Client) -> None:
    batch = make_batch(user)
    assert client_for(user).post(f"/api/admin/batches/{batch.pk}/first").status_code == 403


def test_what_was_put_first_keeps_its_counts_through_everything(admin: User, user: User) -> None:
    batch = make_batch(user, 4)
    batches.batch_first(batch=batch, acting_user=admin)
    attempts.release(claim())
    attempts.fail(claim(), FAILURE)
    attempts.complete(claim(), RESULT)
    runs.cancel_items(batch_id=batch.pk, user_id=user.pk)
    runs.rerun_items(batch_id=batch.pk, user_id=user.pk)
    assert_all_is_settled()


def test_the_books_notice_a_counter_that_is_wrong(user: User) -> None:
    """Otherwise every other test would pass without them."""
    make_batch(user, 2)
    QueueLane.objects.update(waiting=1)
    with pytest.raises(AssertionError):
        assert_all_is_settled()


@pytest.mark.django_db(transaction=True)
def test_claims_cancels_and_verdicts_at_once_neither_deadlock_nor_miscount() -> None:
    users = [make_user() for _ in range(3)]
    made = [make_batch(user, 5) for user in users for _ in range(2)]

    def work() -> None:
        for number in range(8):
            claimed = claim_next("w")
            if claimed and number % 3 == 0:
                attempts.fail(claimed, FAILURE)
            elif claimed and number % 3 == 1:
                attempts.complete(claimed, RESULT)
            elif claimed:
                attempts.release(claimed)

    def cancel() -> None:
        for batch in made:
            runs.cancel_items(batch_id=batch.pk, user_id=batch.user_id)
            runs.rerun_items(batch_id=batch.pk, user_id=batch.user_id)

    outcomes = all_at_once([work, work, work, work, cancel, cancel])
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert_all_is_settled()


@pytest.mark.row_locks  # and a clock of its own
def test_a_worker_whose_clock_is_fast_takes_nobodys_items(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_item(user)
    claimed = claim()
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(hours=1))
    assert attempts.expire_leases() == 0
    heartbeats.renew([claimed])
    left = VideoItem.objects.get().lease_until
    assert left is not None
    assert left < now() + timedelta(minutes=5), "the lease is as long as the fast clock says"


def test_one_item_that_cannot_be_taken_back_stops_no_other(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_batch(user, 3)
    first = claim()
    claim(), claim()
    VideoItem.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    real = attempts.fail

    def fail(claimed: attempts.Claim, *told: Any, **conditions: Any) -> bool:
        if claimed.item_id == first.item_id:
            raise RuntimeError("something about this item")
        return real(claimed, *told, **conditions)

    monkeypatch.setattr(attempts, "fail", fail)
    assert attempts.expire_leases() == 2
    assert Batch.objects.get().processing_count == 1
