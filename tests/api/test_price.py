"""What a video costs: by the recording's length where that is set, and for ever what its run was charged."""

from math import inf
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from accounts.models import CreditEntry, User
from tests.api.forms import CREATE, form, submit
from tests.support.books import assert_all_is_settled
from tests.support.rows import claim, client_for, make_user
from videos.checks import generation_settings
from videos.models import Batch, VideoItem
from videos.pricing import price_of_video
from videos.services import attempts
from videos.services.attempts import StoredResult, Verdict

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def submitted(client: APIClient, images: int = 2) -> dict[str, Any]:
    answer = submit(client, form(images))
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def shown(client: APIClient, batch_id: str) -> dict[str, Any]:
    return dict(client.get(f"/api/video/batches/{batch_id}").json())


def balance(user: User) -> int:
    user.refresh_from_db()
    return user.credits


@pytest.mark.parametrize(
    ("seconds", "audio_s", "price"),
    [
        (0, 299.0, 1),
        (30, 0.6, 1),
        (30, 29.99, 1),
        (30, 30.0, 1),
        (30, 30.000_02, 1),  # a sample longer, as decoders round
        (30, 30.01, 2),
        (30, 60.5, 3),
        (1, 0.0, 1),
    ],
)
def test_each_started_stretch_of_the_recording_costs_a_credit(
    settings: LazySettings, seconds: int, audio_s: float, price: int
) -> None:
    settings.CREDITS_PER_STARTED_S = {"": seconds}
    assert price_of_video(audio_s) == price


def test_engines_have_prices_of_their_own(settings: LazySettings) -> None:
    settings.CREDITS_PER_STARTED_S = {"": 30, "portrait": 0, "rented": 10}
    settings.GENERATION_ENGINE = "portrait"
    assert price_of_video(45) == 1, "the installation's own choice"
    assert price_of_video(45, "rented") == 5
    assert price_of_video(45, "another") == 2


@pytest.mark.parametrize(
    ("seconds", "problems"),
    [
        (0, []),
        (0.001, []),
        (30, []),
        (-1, ["videos.E003"]),
        (1e-310, ["videos.E003"]),
        (inf, ["videos.E003"]),
    ],
)
def test_a_length_in_which_no_price_can_be_counted_is_a_system_check(
    settings: LazySettings, seconds: float, problems: list[str]
) -> None:
    settings.CREDITS_PER_STARTED_S = {"": 0, "portrait": seconds}
    assert [problem.id for problem in generation_settings(None)] == problems


@pytest.fixture
def dear(settings: LazySettings) -> None:
    """A video of the recording costs three credits: its 0.6 s are counted in fifths of a second."""
    settings.CREDITS_PER_STARTED_S = {"": 0.2}


@pytest.mark.usefixtures("dear")
def test_the_price_is_shown_before_anything_is_charged(user: User, client_of_user: APIClient) -> None:
    answer = client_of_user.post(f"{CREATE}?dry_run=true", form(2), format="multipart").json()
    assert (answer["price_per_image"], answer["price"], answer["sufficient"]) == (3, 6, True)
    assert balance(user) == 100


@pytest.mark.usefixtures("dear")
def test_a_batch_is_charged_what_was_shown(user: User, client_of_user: APIClient) -> None:
    made = submitted(client_of_user)
    assert (made["price_per_image"], made["credits_used"], made["credits"]) == (3, 6, 94)
    batch = shown(client_of_user, made["batch_id"])
    assert (batch["price_per_image"], batch["creditsUsed"]) == (3, 6)
    assert [item["price"] for item in batch["items"]] == [3, 3]
    assert_all_is_settled()


@pytest.mark.usefixtures("dear")
def test_too_few_credits_are_told_with_the_whole_price() -> None:
    poor = make_user(credits=5)
    answer = submit(client_for(poor), form(2))
    assert answer.status_code == 402
    assert (answer.json()["required"], answer.json()["available"]) == (6, 5)
    assert balance(poor) == 5


@pytest.mark.usefixtures("dear")
@pytest.mark.parametrize("later", [0, 0.1], ids=["cheaper", "dearer"])
def test_a_refund_gives_back_what_was_charged_whatever_the_price_is_now(
    user: User, client_of_user: APIClient, settings: LazySettings, later: float
) -> None:
    made = submitted(client_of_user)
    settings.CREDITS_PER_STARTED_S = {"": later}
    assert attempts.fail(claim(), Verdict("no_face"))
    assert balance(user) == 97
    assert client_of_user.post(f"/api/video/batches/{made['batch_id']}/cancel").status_code == 200
    assert balance(user) == 100
    assert shown(client_of_user, made["batch_id"])["creditsUsed"] == 0
    assert_all_is_settled()


@pytest.mark.usefixtures("dear")
def test_a_retry_is_charged_at_the_price_of_its_day_and_the_total_counts_both(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    made = submitted(client_of_user)
    assert attempts.complete(claim(), StoredResult(video="batches/1/v.mp4", poster="", duration_s=0.6))
    assert attempts.fail(claim(), Verdict("no_face"))
    settings.CREDITS_PER_STARTED_S = {"": 0.1}
    before = shown(client_of_user, made["batch_id"])
    assert (before["price_per_image"], before["creditsUsed"]) == (6, 3)
    assert client_of_user.post(f"/api/video/batches/{made['batch_id']}/retry_failed").json()["count"] == 1
    assert balance(user) == 91
    batch = shown(client_of_user, made["batch_id"])
    assert (sorted(item["price"] for item in batch["items"]), batch["creditsUsed"]) == ([3, 6], 9)
    settings.CREDITS_PER_STARTED_S = {"": 0}
    assert attempts.fail(claim(), Verdict("no_face"))
    assert balance(user) == 97
    assert_all_is_settled()


@pytest.mark.usefixtures("dear")
def test_usage_counts_the_credits_that_moved(client_of_user: APIClient, client_of_admin: APIClient) -> None:
    submitted(client_of_user)
    assert attempts.fail(claim(), Verdict("no_face"))
    today = client_of_admin.get("/api/admin/usage").json()["days"][-1]
    assert (today["credits_charged"], today["credits_refunded"]) == (6, 3)


@pytest.mark.usefixtures("dear")
def test_a_batch_that_did_not_change_is_told_anew_when_the_price_does(
    client_of_user: APIClient, settings: LazySettings
) -> None:
    batch_id = submitted(client_of_user)["batch_id"]
    tag = client_of_user.get(f"/api/video/batches/{batch_id}")["ETag"]
    settings.CREDITS_PER_STARTED_S = {"": 0}
    again = client_of_user.get(f"/api/video/batches/{batch_id}", HTTP_IF_NONE_MATCH=tag)
    assert (again.status_code, again.json()["price_per_image"]) == (200, 1)


@pytest.mark.usefixtures("dear")
def test_a_deleted_video_stays_in_what_its_batch_cost(client_of_user: APIClient) -> None:
    batch_id = submitted(client_of_user)["batch_id"]
    done = claim()
    assert attempts.complete(done, StoredResult(video="batches/1/v.mp4", poster="", duration_s=0.6))
    assert attempts.fail(claim(), Verdict("no_face"))
    assert client_of_user.delete(f"/api/video/batches/{batch_id}/items/{done.item_id}").status_code == 200
    assert shown(client_of_user, batch_id)["creditsUsed"] == 3
    assert VideoItem.objects.count() == 1


@pytest.mark.usefixtures("dear")
def test_the_ledger_says_what_each_run_cost(user: User, client_of_user: APIClient) -> None:
    submitted(client_of_user)
    charges = CreditEntry.objects.filter(user=user, kind="charge")
    assert list(charges.values_list("amount", flat=True)) == [-3, -3]


def test_clients_are_told_how_a_batch_is_priced(client_of_user: APIClient, settings: LazySettings) -> None:
    settings.CREDITS_PER_STARTED_S = {"": 30}
    settings.GENERATION_ENGINE = "portrait"
    limits = client_of_user.get("/api/engine/status").json()["limits"]
    assert limits["credits_per_started_s"] == 30


def test_what_an_earlier_release_made_without_a_total_is_refunded_all_the_same(
    user: User, client_of_user: APIClient
) -> None:
    batch_id = submitted(client_of_user)["batch_id"]
    Batch.objects.update(credits_used=0)
    assert attempts.fail(claim(), Verdict("no_face"))
    assert balance(user) == 99
    assert shown(client_of_user, batch_id)["creditsUsed"] == 0
