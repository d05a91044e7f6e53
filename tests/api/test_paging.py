"""Lists in pages: by cursor to the very end, by offset as far as totals are counted."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import FloatField
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import credits as ledger
from tests.support.rows import client_for, make_batch, make_user
from videos.api import views
from zhiying.kernel import windows
from zhiying.kernel.api import paging

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

BATCHES = "/api/video/batches"
ALL_BATCHES = "/api/admin/batches"
USERS = "/api/admin/users"
LEDGER = "/api/user/credits"
ROWS = {BATCHES: "batches", ALL_BATCHES: "batches", USERS: "users", LEDGER: "entries"}

ORDERED = [
    *[(BATCHES, ""), (LEDGER, "")],
    *[
        (USERS, f"ordering={way}{name}")
        for way in ("", "-")
        for name in ("created_at", "username", "credits")
    ],
    *[
        (ALL_BATCHES, f"ordering={way}{name}")
        for way in ("", "-")
        for name in ("created_at", "image_count", "name")
    ],
]


@pytest.fixture
def client(db: None) -> APIClient:
    """An administrator with some of everything, and equals in every order."""
    admin = make_user(is_admin=True)
    for number in range(7):
        make_batch(admin, 1 + number % 2, name=f"batch {number // 2}")
        make_user(credits=5 + number % 3)
    return client_for(admin)


def rows(client: APIClient, address: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    answer = client.get(address.removeprefix("http://testserver"))
    assert answer.status_code == 200, answer.content
    body = answer.json()
    return body[ROWS[answer.wsgi_request.path]], body


def walk(client: APIClient, address: str | None) -> Iterator[dict[str, Any]]:
    """Every row, following `next` from page to page."""
    while address:
        found, body = rows(client, address)
        yield from found
        address = body["next"]


@pytest.mark.parametrize(("path", "query"), ORDERED)
def test_following_next_gives_every_row_once_and_in_order(client: APIClient, path: str, query: str) -> None:
    everything, body = rows(client, f"{path}?{query}&limit=1000")
    assert (body["next"], body["total"], body["total_is_exact"]) == (None, len(everything), True)
    assert len(everything) >= 7
    walked = list(walk(client, f"{path}?{query}&limit=2"))
    assert [row["id"] for row in walked] == [row["id"] for row in everything]
    by_offset = [row["id"] for start in range(0, len(everything), 2)
                 for row in rows(client, f"{path}?{query}&limit=2&offset={start}")[0]]  # fmt: skip
    assert by_offset == [row["id"] for row in everything]


def test_rows_that_come_meanwhile_do_not_shift_the_pages(client: APIClient) -> None:
    first, body = rows(client, f"{BATCHES}?limit=3")
    make_batch(User.objects.get(is_admin=True), name="new")
    second, _ = rows(client, body["next"])
    assert not {row["id"] for row in first} & {row["id"] for row in second}
    assert "new" not in [row["name"] for row in second]


@pytest.mark.parametrize("path", [BATCHES, ALL_BATCHES])
def test_a_search_is_understood_however_the_client_wrote_it(client: APIClient, path: str) -> None:
    """Escaped, as browsers do, or as plain UTF-8, as `curl` sends what it is given."""
    make_batch(User.objects.get(is_admin=True), name="批次 甲")
    for query in ("search=%E6%89%B9%E6%AC%A1", "search=批次".encode().decode("latin-1")):
        answer = client.generic("GET", path, QUERY_STRING=query)
        assert [row["name"] for row in answer.json()["batches"]] == ["批次 甲"]
    assert client.generic("GET", path, QUERY_STRING="search=\xff\xfe").json()["batches"] == []


def test_filters_go_along_with_the_cursor(client: APIClient) -> None:
    walked = list(walk(client, f"{ALL_BATCHES}?limit=1&search=batch 1&status=pending"))
    assert [row["name"] for row in walked] == ["batch 1", "batch 1"]


ID = "6d5f5a3c-0c6b-4a1e-9b1e-3f0a6f0a3c55"


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


NO_CURSORS = [
    "%00", "x", "🙂", "a" * 500, encoded([]), encoded(["2026-01-01"]), encoded([1, 2]), encoded("text"),
    encoded(["no time", "no id"]), encoded(["2026-01-01T00:00:00", "no id"]), encoded(["\x00", "\x00"]),
    encoded(["99999999999999999999", "1"]), encoded(["9999-12-31T23:59:59-23:59", "no id"]), "W" * 7,
    encoded(["0001-01-01T00:00:00+14:00", ID]), encoded(["9999-12-31T23:59:59-14:00", ID]),
    encoded(["2026-01-01T00:00:00", ID]), encoded(["2026-01-01", ID]),
]  # fmt: skip


@pytest.mark.parametrize("path", ROWS)
def test_a_cursor_that_is_none_is_refused(client: APIClient, path: str) -> None:
    answers = {cursor: client.get(path, {"cursor": cursor}) for cursor in NO_CURSORS}
    assert {cursor: answer.status_code for cursor, answer in answers.items()} == dict.fromkeys(answers, 400)
    assert all(answer.json()["detail"] for answer in answers.values())


@pytest.mark.parametrize("name", ["\ud800", "a\0", "\udfff name"])
@pytest.mark.parametrize(("path", "column"), [(ALL_BATCHES, "name"), (USERS, "username")])
def test_a_text_no_database_can_hold_is_refused(client: APIClient, path: str, column: str, name: str) -> None:
    answer = client.get(path, {"ordering": column, "cursor": encoded([name, ID])})
    assert answer.status_code == 400


@pytest.mark.parametrize("number", ["nan", "inf", "-Infinity", "1e400"])
def test_a_number_that_nothing_can_be_compared_with_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match=number):
        paging._value(FloatField(), number)


@pytest.mark.parametrize("number", ["99999999999999999999", "-99999999999999999999", "1e3"])
def test_a_number_no_column_can_hold_is_refused(client: APIClient, number: str) -> None:
    assert client.get(LEDGER, {"cursor": encoded([number])}).status_code == 400
    assert client.get(USERS, {"ordering": "credits", "cursor": encoded([number, "x"])}).status_code == 400


def test_a_cursor_and_an_offset_contradict_each_other(client: APIClient) -> None:
    cursor = rows(client, f"{BATCHES}?limit=1")[1]["next"]
    assert client.get(f"{cursor}&offset=3".removeprefix("http://testserver")).status_code == 400


@pytest.mark.parametrize("path", ROWS)
def test_totals_are_counted_up_to_a_limit(
    client: APIClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "COUNTED", 3)
    with CaptureQueriesContext(connection) as captured:
        _, body = rows(client, f"{path}?limit=2")
    assert (body["total"], body["total_is_exact"]) == (3, False)
    [counting] = [query["sql"] for query in captured if "COUNT(*)" in query["sql"]]
    assert "LIMIT 4" in counting
    assert "JOIN" not in counting


def test_a_list_that_fits_one_page_is_not_counted(client: APIClient) -> None:
    with CaptureQueriesContext(connection) as captured:
        rows(client, f"{BATCHES}?limit=50")
    assert not [query for query in captured if "COUNT(*)" in query["sql"]]


def test_offsets_end_where_counting_does(client: APIClient) -> None:
    assert client.get(f"{BATCHES}?offset={paging.MAX_OFFSET}").status_code == 200
    assert client.get(f"{BATCHES}?offset={paging.MAX_OFFSET + 1}").status_code == 400


def test_a_page_ends_before_it_has_too_many_items(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "LIST_MAX_ITEMS", 4)
    found, body = rows(client, f"{BATCHES}?limit=50")
    assert [row["image_count"] for row in found] == [1, 2, 1]
    assert body["total"] == 7
    walked = list(walk(client, f"{BATCHES}?limit=50"))
    assert len({row["id"] for row in walked}) == 7
    monkeypatch.setattr(views, "LIST_MAX_ITEMS", 0)
    assert len(rows(client, f"{BATCHES}?limit=50")[0]) == 1, "one batch always fits"
    assert len(rows(client, f"{BATCHES}?limit=50&summary=true")[0]) == 7, "a summary has no items"


def test_a_search_looks_at_the_newest_rows(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "WINDOW_ROWS", 3)
    assert [row["name"] for row in rows(client, f"{BATCHES}?search=batch")[0]] == [
        "batch 3",
        "batch 2",
        "batch 2",
    ]
    assert rows(client, f"{BATCHES}?search=batch 0")[0] == []
    assert len(rows(client, f"{USERS}?search=user")[0]) == 3
    assert len(rows(client, f"{ALL_BATCHES}?ordering=name")[0]) == 7, "an order of its own index"
    assert len(rows(client, f"{ALL_BATCHES}?ordering=name&status=pending")[0]) == 3


def test_a_ledger_is_cut_by_days_wherever_its_numbers_are(client: APIClient, user: User) -> None:
    ledger.top_up(user_id=user.pk, amount=1, reason="a", acting_user=None)
    mine = client_for(user)
    assert len(rows(mine, f"{LEDGER}?date_from=2000-01-01&date_to=2199-12-31")[0]) == 2
    assert rows(mine, f"{LEDGER}?date_from=2190-01-01")[0] == []
    assert rows(mine, f"{LEDGER}?date_to=2001-01-01")[0] == []


def test_the_ledger_is_paged_and_filtered_newest_first(user: User, client_of_user: APIClient) -> None:
    batch = make_batch(user, 3)
    client_of_user.post(f"{BATCHES}/{batch.pk}/cancel")
    page = client_of_user.get("/api/user/credits?limit=2").json()
    assert page["total"] == 7
    assert [entry["balance_after"] for entry in page["entries"]] == [100, 99]
    assert {entry["batch_id"] for entry in page["entries"]} == {str(batch.pk)}
    assert client_of_user.get("/api/user/credits?kind=charge").json()["total"] == 3
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert client_of_user.get(f"/api/user/credits?date_from={tomorrow}").json()["total"] == 0
