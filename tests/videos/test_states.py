"""The state machine of items: every allowed and forbidden change, and what it does to credits."""

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services import credits as ledger
from accounts.services.credits import InsufficientCreditsError
from tests.support.books import assert_all_is_settled
from tests.support.rows import claim, make_batch, make_item, make_user
from tests.videos.endings import FINAL, RESULT, refunds
from videos.models import Batch, BatchStatus, ItemStatus, VideoItem
from videos.scheduling.claims import claim_next
from videos.services import attempts, runs, transitions
from videos.services.attempts import Claim, Verdict

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

LOST = Verdict("worker_lost", "The worker stopped.", retryable=True)

CHANGES = {
    ("pending", "processing"),
    ("pending", "cancelled"),
    ("processing", "completed"),
    ("processing", "failed"),
    ("processing", "cancelled"),
    ("processing", "pending"),
    ("failed", "pending"),
    ("cancelled", "pending"),
}
"""What the architecture allows, written down a second time on purpose."""


def credits_of(user: User) -> int:
    return User.objects.get(pk=user.pk).credits


def bring_to(status: str, user: User) -> tuple[VideoItem, Claim]:
    """An item in this status and the last claim on it (stale unless it is being rendered)."""
    item = make_item(user)
    if status == "cancelled":
        runs.cancel_items(batch_id=item.batch_id, user_id=user.pk)
        return item, attempts.claim_of(item)
    if status == "pending":
        return item, attempts.claim_of(item)
    claimed = claim()
    if status == "completed":
        assert attempts.complete(claimed, RESULT)
    elif status == "failed":
        assert attempts.fail(claimed, FINAL)
    item.refresh_from_db()
    assert item.status == status
    return item, claimed


def attempt(target: str, item: VideoItem, claimed: Claim) -> None:
    """Try to bring an item to `target` the way the application would."""
    user_id = claimed.user_id
    if target == "processing":
        claim_next("w")
    elif target == "completed":
        attempts.complete(claimed, RESULT)
    elif target == "failed":
        attempts.fail(claimed, FINAL)
    elif target == "cancelled":
        runs.cancel_items(batch_id=item.batch_id, user_id=user_id)
    else:
        attempts.release(claimed)
        runs.rerun_items(batch_id=item.batch_id, user_id=user_id)


@pytest.mark.parametrize("target", ItemStatus.values)
@pytest.mark.parametrize("source", ItemStatus.values)
def test_only_allowed_changes_happen_and_the_books_balance(source: str, target: str, user: User) -> None:
    item, claimed = bring_to(source, user)
    attempt(target, item, claimed)
    item.refresh_from_db()
    assert item.status == (target if (source, target) in CHANGES else source)
    assert_all_is_settled()


@pytest.mark.parametrize("target", ItemStatus.values)
@pytest.mark.parametrize("source", ItemStatus.values)
def test_the_compare_and_set_itself_knows_the_table(source: str, target: str, user: User) -> None:
    """Even code that asks for a wrong change does not get it."""
    item = make_item(user)
    wanted = (item.batch, {item.pk: item.lane_id}, ItemStatus(source), ItemStatus(target))
    if (source, target) in CHANGES:
        # The item waits: the change happens if that is where it begins.
        assert transitions.move(*wanted, lease_until=timezone.now()) == (source == "pending")
    else:
        with pytest.raises(ValueError, match="not an allowed transition"):
            transitions.move(*wanted)


# --- Tries and refunds -----------------------------------------------------------------------------


def test_failing_twice_refunds_once(user: User) -> None:
    item = make_item(user)
    claimed = claim()
    assert attempts.fail(claimed, FINAL)
    assert not attempts.fail(claimed, FINAL)
    assert runs.cancel_items(batch_id=item.batch_id, user_id=user.pk) == 0
    assert (credits_of(user), refunds(item)) == (100, 1)
    assert_all_is_settled()


def test_retryable_trouble_is_retried_a_bounded_number_of_times_then_refunded(
    user: User, settings: Any
) -> None:
    settings.RENDER_MAX_TRIES, settings.RENDER_RETRY_DELAY_S = 3, 1000
    item = make_item(user)
    for number in (1, 2):
        assert attempts.fail(claim(), LOST)
        item.refresh_from_db()
        assert (item.status, item.tries, refunds(item)) == ("pending", number, 0)
        assert item.not_before > timezone.now()
        VideoItem.objects.update(not_before=timezone.now())
    assert attempts.fail(claim(), LOST)
    item.refresh_from_db()
    assert (item.status, item.error_code, item.error_msg) == (
        "failed",
        "worker_lost",
        "The worker stopped while it rendered this video.",
    )
    assert_all_is_settled()


def test_each_retry_waits_twice_as_long(user: User, settings: Any) -> None:
    settings.RENDER_RETRY_DELAY_S = 1000
    item = make_item(user)
    waits = []
    for _ in range(2):
        attempts.fail(claim(), LOST)
        item.refresh_from_db()
        waits.append((item.not_before - timezone.now()).total_seconds())
        VideoItem.objects.update(not_before=timezone.now())
    assert waits == [pytest.approx(1000, abs=100), pytest.approx(2000, abs=100)]


def test_bad_input_is_not_tried_again(user: User) -> None:
    item = make_item(user)
    attempts.fail(claim(), FINAL)
    item.refresh_from_db()
    assert (item.status, item.tries) == ("failed", 1)


def test_giving_an_item_back_does_not_count_as_a_try(user: User) -> None:
    item = make_item(user)
    attempts.release(claim())
    item.refresh_from_db()
    assert (item.status, item.tries, item.worker, item.lease_until) == ("pending", 0, "", None)
    assert claim().tries == 1


def test_a_retry_is_a_new_paid_run_with_fresh_tries(user: User) -> None:
    item = make_item(user)
    attempts.fail(claim(), FINAL)
    assert credits_of(user) == 100
    assert runs.rerun_items(batch_id=item.batch_id, user_id=user.pk) == 1
    item.refresh_from_db()
    assert (item.status, item.run, item.tries, item.error_code, item.error_msg) == ("pending", 2, 0, "", "")
    assert credits_of(user) == 99
    attempts.fail(claim(), FINAL)
    assert credits_of(user) == 100
    assert_all_is_settled()


def test_a_retry_without_credits_changes_nothing() -> None:
    user = make_user(credits=1)
    item = make_item(user)
    attempts.fail(claim(), FINAL)
    User.objects.filter(pk=user.pk)
    make_batch(user)
    with pytest.raises(InsufficientCreditsError):
        runs.rerun_items(batch_id=item.batch_id, user_id=user.pk)
    item.refresh_from_db()
    assert (item.status, item.run) == ("failed", 1)
    assert_all_is_settled()


def test_what_ends_is_refunded_at_the_largest_balance_too(user: User) -> None:
    """Or it could not end."""
    failed, cancelled = make_item(user), make_item(user)
    ledger.set_credits(user_id=user.pk, new_credits=ledger.MAX_CREDITS, reason="much", acting_user=None)
    assert attempts.fail(claim(), FINAL)
    runs.cancel_items(batch_id=cancelled.batch_id, user_id=user.pk)
    assert (refunds(failed), refunds(cancelled)) == (1, 1)
    assert credits_of(user) == ledger.MAX_CREDITS + 2
    assert_all_is_settled()


@pytest.mark.parametrize("code", ["", "x" * 200])
def test_an_item_fails_whatever_code_its_engine_gives(user: User, code: str) -> None:
    item = make_item(user)
    assert attempts.fail(claim(), Verdict(code, "The engine's own words."))
    item.refresh_from_db()
    assert (item.status, item.error_code) == ("failed", code[:64] or attempts.NO_REASON)
    assert_all_is_settled()


def test_a_completed_item_is_never_refunded(user: User) -> None:
    item = make_item(user)
    claimed = claim()
    assert attempts.complete(claimed, RESULT)
    assert not attempts.fail(claimed, FINAL)
    assert not attempts.release(claimed)
    assert runs.cancel_items(batch_id=item.batch_id, user_id=user.pk) == 0
    assert runs.rerun_items(batch_id=item.batch_id, user_id=user.pk) == 0
    assert attempts.reclaim_all() == 0
    item.refresh_from_db()
    assert (item.status, item.progress, item.notes) == (
        "completed",
        100,
        [{"code": "", "params": {"text": "one face"}}],
    )
    assert (credits_of(user), refunds(item)) == (99, 0)
    assert_all_is_settled()


def test_cancelling_some_items_leaves_the_others(user: User) -> None:
    batch = make_batch(user, 3)
    first = batch.items.order_by("position")[0]
    assert runs.cancel_items(batch_id=batch.pk, user_id=user.pk, item_ids=[first.pk]) == 1
    assert sorted(batch.items.values_list("status", flat=True)) == ["cancelled", "pending", "pending"]
    assert credits_of(user) == 98
    assert_all_is_settled()


def test_nothing_happens_to_a_batch_that_is_gone(user: User) -> None:
    assert runs.cancel_items(batch_id=uuid4(), user_id=user.pk) == 0
    assert runs.rerun_items(batch_id=uuid4(), user_id=user.pk) == 0


def test_a_restart_takes_back_everything_that_was_running(user: User) -> None:
    make_batch(user, 2)
    claim("a"), claim("b")
    assert attempts.reclaim_all() == 2
    assert set(VideoItem.objects.values_list("status", flat=True)) == {"pending"}
    assert_all_is_settled()


# --- What items add up to --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ("pending pending", "pending"),
        ("processing pending", "processing"),
        ("completed pending", "processing"),
        ("failed pending", "processing"),
        ("completed processing", "processing"),
        ("completed completed", "completed"),
        ("failed failed", "failed"),
        ("cancelled cancelled", "cancelled"),
        ("completed failed", "partial"),
        ("completed cancelled", "partial"),
        ("completed failed cancelled", "partial"),
        ("failed cancelled", "failed"),
    ],
)
def test_a_batch_says_what_its_items_add_up_to(statuses: str, expected: str) -> None:
    words = statuses.split()
    assert transitions.status_of({word: words.count(word) for word in words}) == BatchStatus(expected)


def test_the_status_of_a_batch_follows_its_items(user: User) -> None:
    batch = make_batch(user, 2)
    seen = []

    def look() -> None:
        seen.append(Batch.objects.get(pk=batch.pk).status)

    look()
    first = claim()
    look()
    attempts.complete(first, RESULT)
    look()
    attempts.fail(claim(), FINAL)
    look()
    runs.rerun_items(batch_id=batch.pk, user_id=user.pk)
    look()
    runs.cancel_items(batch_id=batch.pk, user_id=user.pk)
    look()
    assert seen == ["pending", "processing", "processing", "partial", "processing", "partial"]
