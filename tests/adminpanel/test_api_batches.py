"""The administrators' REST calls on batches, and the usage figures."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import UsageDay, User
from tests.support.rows import claim, make_batch, make_user
from videos.models import Batch
from videos.services import attempts
from videos.services.attempts import StoredResult, Verdict

BATCHES = "/api/admin/batches"
USAGE = "/api/admin/usage"


def finish(batch: Batch) -> None:
    """Complete the item whose turn it is, which belongs to `batch`."""
    result = StoredResult(video=f"{batch.folder}/result/a-1.mp4", poster="", duration_s=0.6)
    claimed = claim()
    assert claimed.batch_id == batch.pk
    assert attempts.complete(claimed, result)


def fail(code: str) -> None:
    assert attempts.fail(claim(), Verdict(code, "It did not work."))


def names(client: APIClient, **query: Any) -> list[str]:
    answer = client.get(BATCHES, query)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["total"] >= len(body["batches"])
    return [batch["name"] for batch in body["batches"]]


def test_every_batch_is_listed_with_its_owner(client_of_admin: APIClient, user: User) -> None:
    other = make_user()
    make_batch(user, 1, name="first")
    make_batch(other, 2, name="second")
    body = client_of_admin.get(BATCHES).json()
    assert [(batch["name"], batch["userName"]) for batch in body["batches"]] == [
        ("second", other.username),
        ("first", user.username),
    ]
    assert body["total"] == 2
    assert [len(batch["items"]) for batch in body["batches"]] == [2, 1]


@pytest.mark.usefixtures("noon")
def test_batches_are_filtered_ordered_and_paged(client_of_admin: APIClient, user: User) -> None:
    other = make_user()
    failed = make_batch(user, 1, name="broken")
    fail("no_face")
    make_batch(user, 3, name="spring")
    make_batch(other, 2, name="Spring sale")
    Batch.objects.filter(pk=failed.pk).update(created_at=timezone.now() - timedelta(days=40))
    today = timezone.localdate()

    assert names(client_of_admin) == ["Spring sale", "spring", "broken"]
    assert names(client_of_admin, user=str(other.pk)) == ["Spring sale"]
    assert names(client_of_admin, status="failed") == ["broken"]
    assert names(client_of_admin, status="cancelled") == []
    assert names(client_of_admin, search="SPRING", user=str(user.pk)) == ["spring"]
    assert names(client_of_admin, date_from=today) == ["Spring sale", "spring"]
    assert names(client_of_admin, date_to=today - timedelta(days=1)) == ["broken"]
    assert names(client_of_admin, date_from=today, date_to=today) == ["Spring sale", "spring"]
    assert names(client_of_admin, ordering="image_count") == ["broken", "Spring sale", "spring"]
    assert names(client_of_admin, ordering="created_at", limit=1, offset=1) == ["spring"]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "lost"},
        {"user": "me"},
        {"date_from": "today"},
        {"date_to": "0001-01-01"},
        {"ordering": "x"},
    ],
)
def test_a_wrong_filter_is_named(client_of_admin: APIClient, query: dict[str, str]) -> None:
    answer = client_of_admin.get(BATCHES, query)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == list(query)


@pytest.mark.usefixtures("same_links")
def test_a_poll_without_news_has_no_body_and_reads_no_items(
    client_of_admin: APIClient, user: User, same_links: None
) -> None:
    make_batch(user, 3)
    first = client_of_admin.get(BATCHES)
    headers = {"if-none-match": first.headers["ETag"]}
    with CaptureQueriesContext(connection) as queries:
        again = client_of_admin.get(BATCHES, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len(queries) <= 4
    assert not [query for query in queries if "video_items" in query["sql"]]
    fail("no_face")
    assert client_of_admin.get(BATCHES, headers=headers).status_code == 200


def test_an_administrator_may_look_at_and_cancel_any_batch(client_of_admin: APIClient, user: User) -> None:
    batch = make_batch(user, 2)
    address = f"/api/video/batches/{batch.pk}"
    assert client_of_admin.get(address).json()["userName"] == user.username
    assert client_of_admin.post(f"{address}/cancel").status_code == 200
    assert User.objects.get(pk=user.pk).credits == 100, "the owner is refunded, not the administrator"


@pytest.mark.usefixtures("noon")
def test_usage_counts_videos_failures_credits_and_users(client_of_admin: APIClient, user: User) -> None:
    busy = make_user("busy")
    batch = make_batch(busy, 4)
    finish(batch)
    finish(batch)
    fail("no_face")
    fail("render_timeout")
    mine = make_batch(user, 2)
    finish(mine)
    fail("no_face")
    make_user("idle")

    body = client_of_admin.get(USAGE, {"days": 7}).json()

    assert len(body["days"]) == 7
    today = body["days"][-1]
    assert today == {
        "date": str(timezone.localdate()),
        "videos": 3,
        "failed": 3,
        "credits_charged": 6,
        "credits_refunded": 3,
    }
    assert all(
        sum(value for value in day.values() if isinstance(value, int)) == 0 for day in body["days"][:-1]
    )
    assert body["failures"] == [{"code": "no_face", "count": 2}, {"code": "render_timeout", "count": 1}]
    assert [(row["username"], row["videos"], row["credits"]) for row in body["users"]] == [
        ("busy", 2, 98),
        (user.username, 1, 99),
    ]
    assert body["totals"] == {
        "users": 4,
        "active_users": 2,
        "batches": 2,
        "videos": 3,
        "failed": 3,
        "credits_charged": 6,
        "credits_refunded": 3,
    }


@pytest.mark.usefixtures("noon")
def test_usage_ends_where_its_days_end(client_of_admin: APIClient, user: User) -> None:
    batch = make_batch(user, 1)
    finish(batch)
    UsageDay.objects.update(day=timezone.localdate() - timedelta(days=3))
    assert client_of_admin.get(USAGE, {"days": 3}).json()["totals"]["videos"] == 0
    body = client_of_admin.get(USAGE, {"days": 4}).json()
    assert (body["days"][0]["videos"], body["totals"]["videos"]) == (1, 1)


@pytest.mark.parametrize("days", ["0", "367", "all"])
def test_an_impossible_span_is_refused(client_of_admin: APIClient, days: str) -> None:
    assert client_of_admin.get(USAGE, {"days": days}).status_code == 400
