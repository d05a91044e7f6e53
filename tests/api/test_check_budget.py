"""Decoding for nothing is limited: without credits nothing is decoded, dry runs and failures run out."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.forms import CREATE, file, form, submit
from tests.support.books import assert_all_is_settled, assert_books_balance
from tests.support.losses import gone_after
from tests.support.media import image_bytes
from tests.support.parallel import all_at_once
from tests.support.rows import claim, client_for, make_item, make_user
from videos.media import audio
from videos.models import Batch, CheckBudget
from videos.services import attempts, check_budget, intake
from videos.services.attempts import Verdict

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

DRY_RUN = f"{CREATE}?dry_run=true"
BAD = file("bad.jpg", b"no image")
TAKEN = 'DELETE FROM "file_deletions"'
"""The last statement of what accepts files, before its commit."""


@pytest.fixture(autouse=True)
def _middle_of_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hour does not end during a test."""
    moment = timezone.now().replace(minute=30, second=0, microsecond=0)
    monkeypatch.setattr(check_budget, "as_told", lambda told: moment)
    monkeypatch.setattr(check_budget, "database_time", lambda: moment)


def used(user: User) -> int:
    budget = CheckBudget.objects.filter(user=user).first()
    return budget.used if budget else 0


def test_without_credits_nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*args: Any, **more: Any) -> Any:
        raise AssertionError("an image was decoded")

    monkeypatch.setattr(intake, "prepare_images", decoded)
    monkeypatch.setattr(audio, "prepare_audio", decoded)
    answer = submit(client_for(make_user(credits=1)), form(2))
    assert (answer.status_code, answer.json()["required"]) == (402, 2)


def test_dry_runs_run_out(client_of_user: APIClient, user: User, settings: LazySettings) -> None:
    settings.FREE_CHECKS_PER_HOUR = 3
    assert submit(client_of_user, form(2), DRY_RUN).status_code == 200
    answer = submit(client_of_user, form(2), DRY_RUN)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_checks")
    assert answer.headers["Retry-After"] == "1800"
    assert submit(client_of_user, form(1), DRY_RUN).status_code == 200
    assert submit(client_of_user, form(1), DRY_RUN).status_code == 429


def test_failed_submissions_run_out(client_of_user: APIClient, settings: LazySettings) -> None:
    settings.FREE_CHECKS_PER_HOUR = 2
    statuses = [submit(client_of_user, form([BAD])).status_code for _ in range(4)]
    assert statuses == [400, 400, 429, 429]


def test_what_is_paid_for_does_not_count(
    client_of_user: APIClient, user: User, settings: LazySettings
) -> None:
    settings.FREE_CHECKS_PER_HOUR = 2
    assert [submit(client_of_user, form(2)).status_code for _ in range(3)] == [201, 201, 201]
    assert used(user) == 0


def test_a_batch_larger_than_the_limit_still_passes(
    client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.FREE_CHECKS_PER_HOUR = 1
    assert submit(client_of_user, form(3)).status_code == 201


def test_others_have_a_budget_of_their_own(client_of_user: APIClient, settings: LazySettings) -> None:
    settings.FREE_CHECKS_PER_HOUR = 1
    assert submit(client_of_user, form(1), DRY_RUN).status_code == 200
    assert submit(client_of_user, form(1), DRY_RUN).status_code == 429
    assert submit(client_for(make_user()), form(1), DRY_RUN).status_code == 200


def test_the_next_hour_begins_anew(client_of_user: APIClient, user: User, settings: LazySettings) -> None:
    settings.FREE_CHECKS_PER_HOUR = 1
    assert submit(client_of_user, form(1), DRY_RUN).status_code == 200
    CheckBudget.objects.update(hour=timezone.now() - timedelta(hours=2))
    assert submit(client_of_user, form(1), DRY_RUN).status_code == 200
    assert used(user) == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_do_not_pass_the_limit_together(settings: LazySettings) -> None:
    settings.FREE_CHECKS_PER_HOUR = 3
    user = make_user()
    clients = [client_for(user) for _ in range(8)]
    outcomes = all_at_once([partial(submit, client, form(1), DRY_RUN) for client in clients])
    counts = Counter(answer.status_code for answer in outcomes)
    assert counts == {200: 3, 429: 5}
    assert used(user) == 3
    assert_books_balance()


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_accepted_though_the_database_goes_right_after_its_commit() -> None:
    """Whoever was told otherwise would send it again, and pay for it twice."""
    user = make_user(credits=100)
    client = client_for(user)
    with gone_after(TAKEN) as gone:
        answer = submit(client, form(2))
    assert gone
    assert (answer.status_code, answer.json()["credits"]) == (201, 98)
    assert Batch.objects.count() == 1
    assert used(user) == 2, "what could not be given back counts until the hour is over"
    assert submit(client, form(2)).status_code == 201
    assert used(user) == 2
    assert_all_is_settled()


@pytest.mark.django_db(transaction=True)
def test_a_replaced_image_is_accepted_though_the_database_goes_right_after_its_commit() -> None:
    user = make_user()
    client, item = client_for(user), make_item(user)
    attempts.fail(claim(), Verdict("no_face"))
    path = f"/api/video/batches/{item.batch_id}/items/{item.pk}/replace"
    with gone_after(TAKEN) as gone:
        answer = client.post(path, {"image": file("new.jpg", image_bytes())}, format="multipart")
    assert gone
    assert answer.json() == {"success": True}
    item.refresh_from_db()
    assert (item.status, item.run) == ("pending", 2)
    assert_all_is_settled()
