"""Polls: whatever a client would see differently gives another tag, and nothing else costs anything."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import sessions, users
from tests.api.forms import file
from tests.support.media import image_bytes
from tests.support.rows import claim, client_for, make_batch, make_user
from videos.api import answers
from videos.models import Batch, VideoItem
from videos.scheduling import forecast
from videos.services import attempts, batches, heartbeats
from videos.services.attempts import Claim, StoredResult, Verdict
from videos.store import urls as media_urls

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

LIST = "/api/video/batches"
FAILURE = Verdict("no_face", "No face was found in the portrait.")
DONE = StoredResult(video="a.mp4", poster="a.jpg", duration_s=0.6)

Change = Callable[[Batch, APIClient], Any]


def address(batch: Batch) -> str:
    return f"{LIST}/{batch.pk}"


def fail(batch: Batch, client: APIClient) -> None:
    attempts.fail(claim(), FAILURE)


def running(batch: Batch) -> Claim:
    item = VideoItem.objects.get(batch=batch, status="processing")
    return attempts.claim_of(item)


def replace(batch: Batch, client: APIClient) -> None:
    fail(batch, client)
    item = VideoItem.objects.get(batch=batch, status="failed")
    answer = client.post(
        f"{address(batch)}/items/{item.pk}/replace", {"image": file("new.jpg", image_bytes(200))}, "multipart"
    )
    assert answer.status_code == 200


CHANGES: dict[str, Change] = {
    "claimed": lambda batch, client: claim(),
    "completed": lambda batch, client: attempts.complete(running(batch), DONE),
    "failed": lambda batch, client: attempts.fail(running(batch), FAILURE),
    "given back": lambda batch, client: attempts.release(running(batch)),
    "progress": lambda batch, client: heartbeats.show_progress(running(batch), 40),
    "renamed": lambda batch, client: client.patch(address(batch), {"name": "other"}),
    "cancelled": lambda batch, client: client.post(f"{address(batch)}/cancel"),
    "its owner's name": lambda batch, client: User.objects.filter(pk=batch.user_id).update(username="other"),
    "replaced": replace,
}


@pytest.fixture
def batch(user: User) -> Batch:
    """One item is rendered, two wait."""
    batch = make_batch(user, 3)
    claim()
    return batch


@pytest.mark.usefixtures("same_links")
@pytest.mark.parametrize("path", ["{list}", "{list}?summary=true", "{batch}"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_what_changed_is_answered_anew_and_what_did_not_with_304(
    batch: Batch, client_of_user: APIClient, path: str, change: Change
) -> None:
    path = path.format(list=LIST, batch=address(batch))
    before = client_of_user.get(path)
    etag = before.headers["ETag"]
    same = client_of_user.get(path, HTTP_IF_NONE_MATCH=etag)
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert same.headers["Cache-Control"] == before.headers["Cache-Control"] == "private, no-cache"
    change(batch, client_of_user)
    changed = client_of_user.get(path, HTTP_IF_NONE_MATCH=etag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag
    if change is not replace or "summary" not in path:  # a summary does not show which image it is
        assert changed.json() != before.json()


@pytest.mark.usefixtures("same_links")
def test_a_heartbeat_without_progress_changes_nothing(batch: Batch, client_of_user: APIClient) -> None:
    heartbeats.show_progress(running(batch), 40)
    etag = client_of_user.get(address(batch)).headers["ETag"]
    heartbeats.renew([running(batch)])
    heartbeats.show_progress(running(batch), 40)
    assert client_of_user.get(address(batch), HTTP_IF_NONE_MATCH=etag).status_code == 304


@pytest.mark.usefixtures("same_links")
def test_a_tag_is_good_for_its_language_and_origin_only(batch: Batch, client_of_user: APIClient) -> None:
    etag = client_of_user.get(address(batch), HTTP_ACCEPT_LANGUAGE="en").headers["ETag"]
    same: dict[str, Any] = {"HTTP_IF_NONE_MATCH": etag, "HTTP_ACCEPT_LANGUAGE": "en"}
    assert client_of_user.get(address(batch), **same).status_code == 304
    chinese = {**same, "HTTP_ACCEPT_LANGUAGE": "zh-hans"}
    assert client_of_user.get(address(batch), **chinese).status_code == 200
    elsewhere = client_of_user.get(address(batch), **same, HTTP_HOST="localhost")
    assert elsewhere.status_code == 200
    assert elsewhere.json()["audio_url"].startswith("http://localhost/media/")


def test_tags_move_with_the_links_and_for_an_open_batch_with_the_estimates(
    user: User, client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_, finished = make_batch(user), make_batch(user)
    batches.batch_cancel(batch=finished, acting_user=user)
    now = [1_800_000_000.0]  # both a full hour and a full step
    for module in (media_urls, answers):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: now[0]))

    def tags() -> list[str]:
        return [client_of_user.get(path).headers["ETag"] for path in (address(open_), address(finished))]

    first = tags()
    now[0] += answers.ESTIMATES_S - 1
    assert tags() == first
    now[0] += 1
    second = tags()
    assert (second[0] != first[0], second[1] == first[1]) == (True, True)
    now[0] += 3600
    assert tags()[1] != first[1]


def test_another_signing_key_gives_other_tags(
    batch: Batch, client_of_user: APIClient, settings: LazySettings
) -> None:
    etag = client_of_user.get(address(batch)).headers["ETag"]
    settings.MEDIA_SIGNING_KEYS = ["another"]
    assert client_of_user.get(address(batch), HTTP_IF_NONE_MATCH=etag).status_code == 200


@pytest.mark.usefixtures("same_links")
def test_whoever_may_not_see_it_is_not_told_that_it_is_unchanged(batch: Batch, user: User) -> None:
    client = client_for(user)
    etag = client.get(address(batch)).headers["ETag"]
    stranger = client_for(make_user())
    assert stranger.get(address(batch), HTTP_IF_NONE_MATCH=etag).status_code == 404
    assert stranger.get(LIST, HTTP_IF_NONE_MATCH=etag).json()["batches"] == []
    assert client_for(make_user(is_admin=True)).get(address(batch)).status_code == 200
    sessions.revoke_all(user_id=user.pk)
    assert client.get(address(batch), HTTP_IF_NONE_MATCH=etag).status_code == 401
    again = client_for(user)
    users.user_set_active(user=user, is_active=False, acting_user=make_user(is_admin=True))
    assert again.get(address(batch), HTTP_IF_NONE_MATCH=etag).status_code == 401


@pytest.mark.usefixtures("same_links")
def test_the_counts_are_those_of_the_items(batch: Batch, client_of_user: APIClient) -> None:
    heartbeats.show_progress(running(batch), 50)
    attempts.fail(claim(), FAILURE)
    whole = client_of_user.get(address(batch)).json()
    [summary] = client_of_user.get(f"{LIST}?summary=true").json()["batches"]
    assert summary == {**whole, "items": []}
    progress = whole["progress"]
    assert (progress["failed"], progress["processing"], progress["pending"]) == (1, 1, 1)
    assert (progress["overall_progress"], whole["creditsUsed"]) == (50, 2)


# --- Cost ------------------------------------------------------------------------------------------


def queries(client: APIClient, path: str, **headers: Any) -> list[str]:
    """The statements of a second call of the same kind: the first compiles and remembers."""
    client.get(path, **headers)
    with CaptureQueriesContext(connection) as captured:
        client.get(path, **headers)
    return [query["sql"] for query in captured]


def reads(client: APIClient, path: str) -> list[str]:
    """The statements of one call."""
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return [query["sql"] for query in captured]


@pytest.mark.usefixtures("same_links")
def test_a_304_reads_the_session_and_the_batch_and_no_items(user: User, client_of_user: APIClient) -> None:
    batch = make_batch(user, 3)
    for path in (address(batch), LIST):
        etag = client_of_user.get(path).headers["ETag"]
        session, rows = queries(client_of_user, path, HTTP_IF_NONE_MATCH=etag)
        assert '"sessions"' in session
        assert 'FROM "batches"' in rows
        assert "video_items" not in rows


@pytest.mark.usefixtures("same_links")
def test_what_was_made_for_a_tag_is_not_made_again(user: User, client_of_user: APIClient) -> None:
    batch = make_batch(user, 3)
    batches.batch_cancel(batch=batch, acting_user=user)
    body = client_of_user.get(address(batch)).content
    assert len(queries(client_of_user, address(batch))) == 2
    assert len(queries(client_of_user, LIST)) == 2
    assert client_of_user.get(address(batch)).content == body


@pytest.mark.usefixtures("same_links")
def test_a_list_reads_the_items_of_new_batches_by_one_query(user: User, client_of_user: APIClient) -> None:
    for _ in range(4):
        batches.batch_cancel(batch=make_batch(user, 2), acting_user=user)
    with CaptureQueriesContext(connection) as captured:
        assert len(client_of_user.get(LIST).json()["batches"]) == 4
    assert len(captured) == 3


def test_the_queue_is_read_once_a_second_by_whoever_asks(
    user: User, client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast, "SNAPSHOT_S", 60.0)
    forecast.forget_snapshot()
    made = [make_batch(user, 2) for _ in range(3)]
    client_of_user.get("/api/user/profile")
    first, second, third = (reads(client_of_user, address(batch)) for batch in made)
    assert sum("queue_lanes" in sql for sql in first) > 0
    assert len(second) == len(third) == 3, "session, batch and items"


def test_the_queue_is_read_from_the_lanes_not_from_the_items(user: User) -> None:
    make_batch(user, 3)
    with CaptureQueriesContext(connection) as captured:
        snapshot = forecast.QueueSnapshot.read()
    assert snapshot.queues["portrait"].waiting == {user.pk: 3}
    assert len(captured) == 4
    assert not [query for query in captured if "video_items" in query["sql"] or "batches" in query["sql"]]


@pytest.mark.parametrize(
    ("started_ago_s", "ended_ago_s", "shown_s"),
    [(None, None, 0), (100, 40, 60), (90, None, 90), (-50, None, 0)],
)
def test_how_long_an_item_took_so_far(
    user: User,
    client_of_user: APIClient,
    started_ago_s: int | None,
    ended_ago_s: int | None,
    shown_s: int,
) -> None:
    batch = make_batch(user)
    now = timezone.now()
    times = {"started_at": started_ago_s, "finished_at": ended_ago_s}
    VideoItem.objects.update(
        **{name: None if ago is None else now - timedelta(seconds=ago) for name, ago in times.items()}
    )
    [item] = client_of_user.get(address(batch)).json()["items"]
    assert abs(item["elapsed_time"] - shown_s) <= 1


KEPT_NOTES = [
    {"code": "prompt_understood", "params": {"words": "微笑"}},
    {"code": "", "params": {"text": 'a "quoted" one'}},
]
"""One of ours, and one of an engine that is installed beside them."""


def test_remarks_of_the_engine_are_shown(user: User, client_of_user: APIClient) -> None:
    batch = make_batch(user)
    VideoItem.objects.update(notes=KEPT_NOTES)
    body = client_of_user.get(address(batch), HTTP_ACCEPT_LANGUAGE="en").json()
    assert body["items"][0]["notes"] == ["Understood from the prompt: 微笑.", 'a "quoted" one']
