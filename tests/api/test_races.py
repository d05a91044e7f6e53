"""Requests in parallel: threads that start together, on SQLite and, in a second run, on PostgreSQL."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import CreditEntry, Session, User, UserGroup
from accounts.services import credits as ledger
from accounts.services.groups import group_delete
from tests.support.books import assert_all_is_settled, assert_books_balance
from tests.support.media import image_bytes, wav_bytes
from tests.support.parallel import BARRIER_TIMEOUT_S, all_at_once, times
from tests.support.rows import claim, client_for, make_batch, make_item, make_user
from videos.engine_names import all_engines
from videos.models import Batch, EngineRule, ItemStatus, Share, VideoItem
from videos.services import attempts, runs, shares
from videos.services.attempts import StoredResult, Verdict
from videos.services.engine_rules import rule_save
from zhiying.kernel.errors import ConflictError, DomainError
from zhiying.kernel.models import IdempotencyRecord

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

RESULT = StoredResult(video="batches/x/result/y-1.mp4", poster="", duration_s=0.6)
FINAL = Verdict("no_face", "No face was found.")


def submission(images: int, name: str = "") -> dict[str, Any]:
    """The form of a batch, with files of its own."""
    pictures = [SimpleUploadedFile(f"{index}.jpg", image_bytes()) for index in range(images)]
    return {"images": pictures, "audio": SimpleUploadedFile("a.wav", wav_bytes()), "name": name}


def submit(client: APIClient, images: int, **headers: Any) -> Any:
    return client.post("/api/video/batch", submission(images), format="multipart", **headers)


def statuses(answers: list[Any]) -> Counter[int]:
    broken = [answer for answer in answers if isinstance(answer, Exception)]
    assert not broken, broken
    return Counter(answer.status_code for answer in answers)


def only_one(outcomes: list[Any]) -> bool:
    """Whether exactly one of several calls said that it did the thing, and none broke."""
    assert all(isinstance(outcome, bool | int) for outcome in outcomes), outcomes
    return [bool(outcome) for outcome in outcomes].count(True) == 1


# --- Credits ---------------------------------------------------------------------------------------


def test_reading_before_writing_would_lose_charges() -> None:
    """The danger is real: what was read before the lock is out of date when it is written."""
    user = make_user(credits=10)
    everybody_has_read = threading.Barrier(4)

    def naive_charge() -> int:
        seen = User.objects.get(pk=user.pk).credits
        everybody_has_read.wait(BARRIER_TIMEOUT_S)
        return User.objects.filter(pk=user.pk).update(credits=seen - 5)

    assert all_at_once(times(4, naive_charge)) == [1, 1, 1, 1]
    assert User.objects.get(pk=user.pk).credits == 5, "four charges of 5 took 5 credits"


def test_of_twenty_submissions_exactly_those_that_can_be_paid_are_accepted() -> None:
    user = make_user(credits=10)
    client = client_for(user)
    answers = all_at_once(times(20, lambda: submit(client, 5)))
    assert statuses(answers) == {201: 2, 402: 18}
    refused = [answer.json() for answer in answers if answer.status_code == 402]
    assert {answer["code"] for answer in refused} == {"insufficient_credits"}
    assert {answer["required"] for answer in refused} == {5}
    user.refresh_from_db()
    assert user.credits == 0
    assert Batch.objects.count() == 2
    assert VideoItem.objects.count() == CreditEntry.objects.filter(kind="charge").count() == 10
    assert len(set(Batch.objects.values_list("name", flat=True))) == 2
    assert_all_is_settled()


def test_parallel_charges_stop_at_zero_without_the_early_look() -> None:
    """The guard in the charge itself, past the look at the balance that refuses most."""
    user = make_user(credits=3)
    answers = all_at_once(times(8, lambda: make_batch(user, 1)))
    accepted = [answer for answer in answers if isinstance(answer, Batch)]
    refused = [answer for answer in answers if isinstance(answer, ledger.InsufficientCreditsError)]
    assert (len(accepted), len(refused)) == (3, 5)
    assert_all_is_settled()


def test_ten_requests_with_one_idempotency_key_make_one_batch() -> None:
    user = make_user(credits=100)
    client = client_for(user)
    answers = all_at_once(times(10, lambda: submit(client, 2, HTTP_IDEMPOTENCY_KEY="k")))
    counts = statuses(answers)
    assert set(counts) <= {201, 409}
    assert counts[201] >= 1
    assert len({answer.json()["batch_id"] for answer in answers if answer.status_code == 201}) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
        "idempotency_in_flight"
    }
    assert Batch.objects.count() == 1
    user.refresh_from_db()
    assert user.credits == 98
    again = submit(client, 2, HTTP_IDEMPOTENCY_KEY="k")
    assert again.json()["batch_id"] == str(Batch.objects.get().pk)
    assert_all_is_settled()


def test_an_idempotency_key_belongs_to_its_user() -> None:
    clients = [client_for(make_user()) for _ in range(4)]
    jobs = [lambda client=client: submit(client, 1, HTTP_IDEMPOTENCY_KEY="k") for client in clients]
    assert statuses(all_at_once(jobs)) == {201: 4}
    assert IdempotencyRecord.objects.count() == Batch.objects.count() == 4


def test_default_names_of_parallel_batches_differ() -> None:
    user = make_user()
    all_at_once(times(6, lambda: make_batch(user)))
    assert len(set(Batch.objects.values_list("name", flat=True))) == 6


def change_of(client: APIClient, user: User, body: dict[str, Any], **headers: Any) -> Callable[[], Any]:
    return lambda: client.patch(f"/api/admin/users/{user.pk}/credits", body, format="json", **headers)


def test_parallel_changes_by_administrators_all_count() -> None:
    user, client = make_user(credits=100), client_for(make_user(is_admin=True))
    deltas = [7, -3, 11, -20, 5, -1, 2, 9]
    jobs = [change_of(client, user, {"delta": delta, "reason": "test"}) for delta in deltas]
    assert statuses(all_at_once(jobs)) == {200: 8}
    user.refresh_from_db()
    assert user.credits == 100 + sum(deltas)
    assert_books_balance()


@pytest.mark.parametrize("round_", range(3))
def test_a_group_that_is_deleted_has_nobody_left_in_it(round_: int) -> None:
    """Its users and rules are either there before, or refused; what is in it then keeps it or goes along."""
    group, client = UserGroup.objects.create(name="press"), client_for(make_user(is_admin=True))
    chosen = [make_user() for _ in range(4)]

    def put(user: User) -> int:
        body = {"group": str(group.pk)}
        return int(client.patch(f"/api/admin/users/{user.pk}", body, format="json").status_code)

    def rule() -> int:
        rule_save(rule=EngineRule(engine=all_engines()[0], group=group), acting_user=None)
        return 200

    def delete() -> int:
        group_delete(group=group, acting_user=None)
        return 200

    jobs: list[Callable[[], int]] = [
        rule,
        partial(put, chosen[0]),
        delete,
        rule,
        *(partial(put, user) for user in chosen[1:]),
    ]
    outcomes = all_at_once(jobs)
    told = [one.status if isinstance(one, DomainError) else one for one in outcomes]
    kept = UserGroup.objects.exists()
    assert told.pop(2) == (409 if kept else 200), outcomes
    assert set(told) <= ({200} if kept else {200, 404}), outcomes
    assert User.objects.filter(group=group).count() == (len(chosen) if kept else 0)
    assert EngineRule.objects.count() == (2 if kept else 0)


def test_credits_set_in_parallel_leave_true_books() -> None:
    user, client = make_user(credits=100), client_for(make_user(is_admin=True))
    wanted = [10, 20, 30, 40]
    jobs = [change_of(client, user, {"new_credits": wish}) for wish in wanted]
    jobs += [change_of(client, user, {"delta": -1, "reason": "test"})] * 4
    assert statuses(all_at_once(jobs)) == {200: 8}
    user.refresh_from_db()
    assert user.credits in {wish - taken for wish in wanted for taken in range(5)}
    assert_books_balance()


def test_a_keyed_change_of_credits_happens_once() -> None:
    user, client = make_user(credits=100), client_for(make_user(is_admin=True))
    job = change_of(client, user, {"delta": 5, "reason": "test"}, HTTP_IDEMPOTENCY_KEY="k")
    counts = statuses(all_at_once(times(6, job)))
    assert set(counts) <= {200, 409}
    assert counts[200] >= 1
    user.refresh_from_db()
    assert user.credits == 105


def test_a_keyed_top_up_in_parallel_happens_once() -> None:
    user = make_user(credits=0)
    entries = all_at_once(
        times(
            6, lambda: ledger.top_up(user_id=user.pk, amount=5, reason="paid", key="k", acting_user=None).pk
        )
    )
    assert len(set(entries)) == 1, entries
    user.refresh_from_db()
    assert user.credits == 5
    assert_books_balance()


def test_a_top_up_key_used_for_two_users_at_once_credits_one_of_them() -> None:
    users = [make_user(credits=0) for _ in range(4)]
    outcomes = all_at_once(
        [
            partial(ledger.top_up, user_id=user.pk, amount=5, reason="paid", key="k", acting_user=None)
            for user in users
        ]
    )
    assert sum(isinstance(outcome, CreditEntry) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 3, outcomes
    assert sum(User.objects.values_list("credits", flat=True)) == 5
    assert_books_balance()


# --- Sessions --------------------------------------------------------------------------------------


def test_ten_parallel_refreshes_of_one_client_get_the_same_tokens() -> None:
    raw = client_for(make_user()).tokens.refresh
    answers = all_at_once(
        times(10, lambda: APIClient().post("/api/auth/refresh", {"refresh": raw}, format="json"))
    )
    assert statuses(answers) == {200: 10}
    assert len({(answer.json()["token"], answer.json()["refresh"]) for answer in answers}) == 1
    fresh = answers[0].json()
    assert Session.objects.get().revoked_at is None, "two tabs at once are no theft"
    again = APIClient().post("/api/auth/refresh", {"refresh": fresh["refresh"]}, format="json")
    assert again.status_code == 200


def test_two_users_of_one_name_cannot_be_made_at_once() -> None:
    client = client_for(make_user(is_admin=True))
    answers = all_at_once(
        times(4, lambda: client.post("/api/admin/users", {"username": "Same", "credits": 1}, format="json"))
    )
    assert statuses(answers) == {201: 1, 409: 3}
    assert_books_balance()


# --- Items -----------------------------------------------------------------------------------------


def test_of_two_deletions_of_a_batch_one_finds_it() -> None:
    user = make_user()
    client, batch = client_for(user), make_batch(user, 2)
    counts = statuses(all_at_once(times(4, lambda: client.delete(f"/api/video/batches/{batch.pk}"))))
    assert counts[200] >= 1
    assert set(counts) <= {200, 404}
    user.refresh_from_db()
    assert user.credits == 100
    assert_books_balance()


@pytest.mark.parametrize("whose", ["batch", "video"])
def test_links_go_with_what_they_show_or_are_refused_while_it_is_deleted(whose: str) -> None:
    user = make_user()
    client = client_for(user)
    for _ in range(5):
        batch = make_batch(user, 2)
        runs.cancel_items(batch_id=batch.pk, user_id=user.pk)
        item = batch.items.all()[0]
        place = f"/api/video/batches/{batch.pk}"
        shown, gone = ({}, place) if whose == "batch" else ({"item_id": item.pk}, f"{place}/items/{item.pk}")
        link = partial(client.post, f"{place}/shares", shown)
        deleted, *links = all_at_once([partial(client.delete, gone), *times(4, link)])
        assert statuses([deleted]) == {200: 1}
        assert set(statuses(links)) <= {201, 404}
        assert not Share.objects.exists()


def test_a_batch_gets_no_more_links_than_it_may_however_many_ask_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shares, "MAX_LINKS", 2)
    user = make_user()
    client, batch = client_for(user), make_batch(user)
    link = partial(client.post, f"/api/video/batches/{batch.pk}/shares", {})
    assert statuses(all_at_once(times(6, link))) == {201: 2, 409: 4}


def test_an_item_cancelled_in_parallel_is_refunded_once() -> None:
    user = make_user()
    client, item = client_for(user), make_item(user)
    path = f"/api/video/batches/{item.batch_id}/items/{item.pk}/cancel"
    assert statuses(all_at_once(times(6, lambda: client.post(path)))) == {200: 1, 409: 5}
    assert_all_is_settled()


def test_an_item_retried_in_parallel_is_charged_once() -> None:
    user = make_user()
    client, item = client_for(user), make_item(user)
    attempts.fail(claim(), FINAL)
    path = f"/api/video/batches/{item.batch_id}/items/{item.pk}/resume"
    assert statuses(all_at_once(times(6, lambda: client.post(path)))) == {200: 1, 409: 5}
    user.refresh_from_db()
    assert user.credits == 99
    assert_all_is_settled()


@pytest.mark.parametrize("round_", range(3))
def test_cancel_complete_fail_and_expiry_at_once_have_one_winner(round_: int, settings: Any) -> None:
    settings.RENDER_MAX_TRIES = 1
    user = make_user()
    item = make_item(user)
    claimed = claim()
    VideoItem.objects.update(lease_until=item.queued_at)
    outcomes = all_at_once(
        [
            lambda: runs.cancel_items(batch_id=item.batch_id, user_id=user.pk),
            lambda: attempts.complete(claimed, RESULT),
            lambda: attempts.fail(claimed, FINAL),
            lambda: attempts.fail(claimed, FINAL),
            lambda: runs.cancel_items(batch_id=item.batch_id, user_id=user.pk),
            attempts.expire_leases,
        ]
    )
    assert only_one(outcomes), outcomes
    item.refresh_from_db()
    assert item.status in {ItemStatus.CANCELLED, ItemStatus.COMPLETED, ItemStatus.FAILED}
    assert_all_is_settled()


def test_a_running_item_taken_back_by_two_sweeps_and_its_worker_is_settled_once(settings: Any) -> None:
    settings.RENDER_MAX_TRIES = 1
    user = make_user()
    item = make_item(user)
    claimed = claim()
    VideoItem.objects.update(lease_until=item.queued_at)
    outcomes = all_at_once(
        [attempts.expire_leases, attempts.expire_leases, lambda: attempts.complete(claimed, RESULT)]
    )
    assert only_one(outcomes), outcomes
    assert_all_is_settled()


def test_trouble_reported_while_the_sweep_takes_the_item_back_costs_one_try(settings: Any) -> None:
    """The worker lives and says that it failed, several times, at the moment its lease has run out."""
    settings.RENDER_MAX_TRIES, settings.RENDER_RETRY_DELAY_S = 3, 1000
    item = make_item(make_user())
    claimed = claim()
    VideoItem.objects.update(lease_until=item.queued_at)
    trouble = Verdict("engine_error", retryable=True)
    fails = times(3, lambda: attempts.fail(claimed, trouble))
    outcomes = all_at_once([*fails, attempts.expire_leases, attempts.expire_leases])
    assert only_one(outcomes), outcomes
    item.refresh_from_db()
    assert (item.status, item.tries) == (ItemStatus.PENDING, 1)
    assert_all_is_settled()
