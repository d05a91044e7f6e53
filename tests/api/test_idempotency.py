"""An Idempotency-Key after a fault: its record says what was committed, and nobody waits for the dead."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.forms import form, submit
from tests.servers.process import wait_until
from tests.support.books import assert_all_is_settled
from tests.support.parallel import BARRIER_TIMEOUT_S
from tests.support.rows import client_for, make_user
from videos.models import Batch
from zhiying.kernel import idempotency
from zhiying.kernel.errors import ConflictError
from zhiying.kernel.idempotency import KeyedRequest, Save, perform_once
from zhiying.kernel.models import IdempotencyRecord

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def request_of(user: User, content: str = "content") -> KeyedRequest:
    return KeyedRequest(user.pk, "k", content)


def abandon() -> None:
    """The lease of every record in flight is over."""
    IdempotencyRecord.objects.update(alive_until=timezone.now() - timedelta(seconds=1))


def record_in_flight(user: User, content: str = "content") -> None:
    IdempotencyRecord.objects.create(
        user=user,
        key="k",
        fingerprint=content,
        created_at=timezone.now(),
        alive_until=timezone.now() + idempotency.LEASE,
    )


def answering(value: int) -> Any:
    def work(save: Save) -> idempotency.Answer:
        save(201, {"value": value})
        return 201, {"value": value}

    return work


def test_a_lease_is_seconds() -> None:
    assert timedelta(seconds=15) >= idempotency.LEASE
    assert timedelta(seconds=3 * idempotency.BEAT_S) <= idempotency.LEASE


def test_the_record_of_a_dead_process_is_taken_over(user: User) -> None:
    record_in_flight(user)
    with pytest.raises(ConflictError):
        perform_once(request_of(user), answering(1))
    abandon()
    assert perform_once(request_of(user), answering(2)) == (201, {"value": 2})
    assert perform_once(request_of(user), answering(3)) == (201, {"value": 2})


def test_other_content_takes_over_what_was_never_done(user: User) -> None:
    record_in_flight(user, "other")
    abandon()
    assert perform_once(request_of(user), answering(1)) == (201, {"value": 1})


def test_a_killed_connection_frees_the_key_at_once(
    user: User, client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database restarts while the batch is written; the next try finds the key free, or its answer."""
    client_of_user.raise_request_exception = False
    from videos.services import batches

    real = batches._insert
    calls: list[int] = []

    def break_off(*args: Any) -> Any:
        made = real(*args)
        if not calls:
            calls.append(1)
            connection = connections["default"]
            if connection.vendor == "postgresql":
                other = connection.copy()
                pid = connection.connection.info.backend_pid
                with other.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
                other.close()
            else:
                raise OperationalError("disk I/O error")
        return made

    monkeypatch.setattr(batches, "_insert", break_off)
    first = submit(client_of_user, form(1), HTTP_IDEMPOTENCY_KEY="k")
    assert first.status_code == 503
    second = submit(client_of_user, form(1), HTTP_IDEMPOTENCY_KEY="k")
    assert second.status_code == 201, second.content
    assert Batch.objects.count() == 1
    assert_all_is_settled()


def test_a_database_that_stays_away_costs_a_lease_and_no_more(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(save: Save) -> idempotency.Answer:
        raise OperationalError("the database is gone")

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "_settle", lambda record, lost: None)  # it cannot be reached
        with pytest.raises(OperationalError):
            perform_once(request_of(user), fail)
    with pytest.raises(ConflictError):
        perform_once(request_of(user), answering(1))
    abandon()
    assert perform_once(request_of(user), answering(1)) == (201, {"value": 1})


def test_an_answer_whose_commit_was_not_confirmed_is_given(user: User) -> None:
    def lose(save: Save) -> idempotency.Answer:
        save(201, {"value": 1})
        raise OperationalError("the connection was lost after the commit")

    assert perform_once(request_of(user), lose) == (201, {"value": 1})


def test_whoever_is_slow_but_alive_keeps_the_key(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "BEAT_S", 0.05)
    working, go_on = threading.Event(), threading.Event()

    def slowly(save: Save) -> idempotency.Answer:
        working.set()
        assert go_on.wait(BARRIER_TIMEOUT_S)
        answer: idempotency.Answer = answering(1)(save)
        return answer

    results: list[Any] = []

    def run() -> None:
        try:
            results.append(perform_once(request_of(user), slowly))
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert working.wait(BARRIER_TIMEOUT_S)
    abandon()
    now = timezone.now()
    wait_until(
        lambda: IdempotencyRecord.objects.filter(alive_until__gt=now).exists(),
        timeout_s=60,
        what="the renewal",
    )
    with pytest.raises(ConflictError):
        perform_once(request_of(user), answering(2))
    go_on.set()
    thread.join(BARRIER_TIMEOUT_S)
    assert results == [(201, {"value": 1})]


def test_of_two_that_live_after_all_the_first_to_commit_wins(user: User) -> None:
    """The lease ran out although its owner lived: it finds the other's answer instead of doing it again."""
    done: list[int] = []

    def first(save: Save) -> idempotency.Answer:
        abandon()
        assert perform_once(request_of(user), answering(2)) == (201, {"value": 2})
        answer: idempotency.Answer = answering(1)(save)
        done.append(1)
        return answer

    assert perform_once(request_of(user), first) == (201, {"value": 2})
    assert done == []


def test_a_failed_owner_does_not_free_the_key_of_its_successor(user: User) -> None:
    """What it would delete is not its own any more."""
    successor: list[Any] = []

    def first(save: Save) -> idempotency.Answer:
        abandon()

        def second(save_second: Save) -> idempotency.Answer:
            successor.append(save_second)
            return 202, {}

        perform_once(request_of(user), second)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  (any would do)
        perform_once(request_of(user), first)
    successor[0](201, {"value": 2})
    assert perform_once(request_of(user), answering(3)) == (201, {"value": 2})


def test_a_client_is_told_the_same_by_the_api() -> None:
    user = make_user()
    client = client_for(user)
    submit(client, HTTP_IDEMPOTENCY_KEY="k")
    IdempotencyRecord.objects.update(status_code=None, body=None)
    assert submit(client, HTTP_IDEMPOTENCY_KEY="k").status_code == 409
