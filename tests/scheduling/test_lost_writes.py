"""What workers and the sweep write, when the answer to it is lost and they do it again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import CreditEntry, User
from tests.support.books import assert_all_is_settled
from tests.support.losses import each_loss
from tests.support.rows import claim, make_item, make_user
from videos.models import Batch, ItemStatus, VideoItem
from videos.scheduling import sweep
from videos.scheduling.claims import claim_next
from videos.services import attempts, heartbeats, runs
from videos.services.attempts import Claim, StoredResult, Verdict
from videos.store import keys

pytestmark = pytest.mark.django_db(transaction=True)

FINAL, TROUBLE = Verdict("no_face"), Verdict("engine_error", retryable=True, pauses=False)


@pytest.fixture
def owner(settings: Any) -> User:
    settings.RENDER_MAX_TRIES = 2
    return make_user(credits=1000)


class Works:
    """One running item at a time, each made anew."""

    def __init__(self, owner: User) -> None:
        self.owner = owner
        self.claim: Claim

    def begin(self) -> None:
        """What was left of the case before is not claimed in its place."""
        for batch in Batch.objects.filter(user=self.owner):
            runs.cancel_items(batch_id=batch.pk, user_id=self.owner.pk)
        make_item(self.owner)
        self.claim = claim()

    @property
    def item(self) -> VideoItem:
        return VideoItem.objects.get(pk=self.claim.item_id)

    def refunds(self) -> int:
        return CreditEntry.objects.filter(item_id=self.claim.item_id, kind="refund").count()


def finish(claimed: Claim) -> None:
    video, _poster = keys.result_keys(claimed.batch_id, claimed.item_id, claimed.attempt)
    assert attempts.complete(claimed, StoredResult(video, "", 0.6))


def expire_all() -> None:
    VideoItem.objects.filter(status=ItemStatus.PROCESSING).update(lease_until=timezone.now())


def test_a_claim_that_nobody_knows_of_is_given_to_another(owner: User) -> None:
    """At the latest when its lease has run out; it was paid for once."""
    item = make_item(owner)

    def again() -> None:
        nonlocal item
        item = make_item(owner)

    losses = 0
    for _loss in each_loss(lambda: claim_next("lost"), again):
        losses += 1
        while claim_next("another") is not None:
            pass  # including what was left of the cases before
        expire_all()
        attempts.expire_leases()
        now = VideoItem.objects.get(pk=item.pk)
        assert now.status == ItemStatus.PENDING
        assert_all_is_settled()
        while claimed := claim_next("another"):
            finish(claimed)
        assert VideoItem.objects.get(pk=item.pk).status == ItemStatus.COMPLETED
        assert_all_is_settled()
    assert losses


def outcome(works: Works, write: Callable[[], object], check: Callable[[], None]) -> None:
    """Write, lose the answer, write again, and look."""
    losses = 0
    for _loss in each_loss(write, works.begin):
        losses += 1
        write()
        check()
        assert_all_is_settled()
    assert losses


def test_a_failure_written_again_is_refunded_once(owner: User) -> None:
    works = Works(owner)

    def check() -> None:
        assert (works.item.status, works.refunds()) == (ItemStatus.FAILED, 1)

    outcome(works, lambda: attempts.fail(works.claim, FINAL), check)


def test_trouble_written_again_costs_one_try(owner: User) -> None:
    works = Works(owner)

    def check() -> None:
        assert (works.item.status, works.item.tries, works.refunds()) == (ItemStatus.PENDING, 1, 0)

    outcome(works, lambda: attempts.fail(works.claim, TROUBLE), check)


def test_an_item_given_back_twice_was_not_tried(owner: User) -> None:
    works = Works(owner)

    def check() -> None:
        assert (works.item.status, works.item.tries) == (ItemStatus.PENDING, 0)

    outcome(works, lambda: attempts.release(works.claim), check)


def test_a_heartbeat_written_again_keeps_the_lease(owner: User) -> None:
    works = Works(owner)

    def beat() -> None:
        heartbeats.renew([works.claim])
        heartbeats.show_progress(works.claim, 40)

    def check() -> None:
        assert (works.item.status, works.item.progress) == (ItemStatus.PROCESSING, 40)
        assert works.item.lease_until is not None
        assert works.item.lease_until > timezone.now()

    outcome(works, beat, check)


@pytest.mark.parametrize(
    ("most_tries", "expected"), [(2, (ItemStatus.PENDING, 1, 0)), (1, (ItemStatus.FAILED, 1, 1))]
)
def test_an_item_is_taken_back_once_however_often_the_sweep_comes(
    owner: User, settings: Any, most_tries: int, expected: tuple[ItemStatus, int, int]
) -> None:
    """Whether it is tried again, or fails and is refunded."""
    settings.RENDER_MAX_TRIES = most_tries
    works = Works(owner)

    def begin() -> None:
        works.begin()
        expire_all()

    losses = 0
    for _loss in each_loss(sweep.sweep, begin):
        losses += 1
        sweep.sweep()
        assert (works.item.status, works.item.tries, works.refunds()) == expected
        assert_all_is_settled()
    assert losses


def test_the_hourly_cleaning_can_be_done_again(owner: User) -> None:
    losses = 0
    for _loss in each_loss(sweep.clean):
        losses += 1
        sweep.clean()
        assert_all_is_settled()
    assert losses
