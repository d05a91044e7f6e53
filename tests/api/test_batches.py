"""Reading and changing batches: lists, polling, renaming, deleting, cancelling, retrying."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import credits as ledger
from tests.api.forms import file
from tests.support.books import assert_all_is_settled
from tests.support.finished import finish
from tests.support.media import image_bytes
from tests.support.rows import claim, client_for, make_batch, make_item, make_user
from videos.models import Batch, VideoItem
from videos.services import attempts, heartbeats
from videos.services.attempts import StoredResult, Verdict
from videos.store import deletions, files, keys

pytestmark = pytest.mark.django_db

LIST = "/api/video/batches"
FINAL = Verdict("no_face", "No face was found.")


@pytest.fixture
def client(client_of_user: APIClient) -> APIClient:
    return client_of_user


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [batch["name"] for batch in answer.json()["batches"]]


# --- Reading ---------------------------------------------------------------------------------------


def test_a_batch_has_the_schemas_names_and_the_front_ends(user: User, client: APIClient) -> None:
    batch = make_batch(user, 2, name="Spring", prompt="smile")
    finish()
    body = client.get(f"{LIST}/{batch.pk}").json()
    assert body["id"] == str(batch.pk)
    assert body["userId"] == body["user_id"] == str(user.pk)
    assert body["userName"] == user.username
    assert (body["name"], body["prompt"], body["audioName"]) == ("Spring", "smile", "speech.wav")
    assert body["imageCount"] == body["image_count"] == 2
    assert body["creditsUsed"] == 2
    assert body["timestamp"] == int(batch.created_at.timestamp() * 1000)
    assert body["status"] == "processing"
    done, waiting = body["items"]
    assert done["sourceImage"] == done["source_image_url"]
    assert done["videoUrl"] == done["video_url"] != ""
    assert (done["status"], done["progress"], done["duration"]) == ("completed", 100, 0.6)
    assert (waiting["status"], waiting["videoUrl"], waiting["error_msg"]) == ("pending", "", "")
    for url in (done["sourceImage"], done["thumbnail_url"], done["videoUrl"], body["audio_url"]):
        assert url.startswith("http://testserver/media/")


def test_progress_counts_items_by_state_and_says_whose_turn_it_is(user: User, client: APIClient) -> None:
    make_batch(make_user(), 2)
    batch = make_batch(user, 4)
    [other] = [taken for taken in (claim(), claim()) if taken.batch_id != batch.pk]
    attempts.fail(other, FINAL)
    assert claim().batch_id == other.batch_id
    mine = VideoItem.objects.get(batch=batch, status="processing")
    VideoItem.objects.filter(pk=mine.pk).update(progress=50)
    progress = client.get(f"{LIST}/{batch.pk}").json()["progress"]
    counted = {name: progress[name] for name in ("total", "completed", "processing", "failed", "cancelled")}
    assert counted == {"total": 4, "completed": 0, "processing": 1, "failed": 0, "cancelled": 0}
    assert progress["pending"] == progress["queued"] == 3
    assert progress["overall_progress"] == 12
    assert progress["queue_position"] == 1
    assert progress["eta_seconds"] == progress["eta_waiting_seconds"] + progress["eta_rendering_seconds"] > 0


def test_a_finished_batch_waits_for_nothing(user: User, client: APIClient) -> None:
    batch = make_batch(user)
    finish()
    progress = client.get(f"{LIST}/{batch.pk}").json()["progress"]
    assert progress["overall_progress"] == 100
    assert (progress["queue_position"], progress["eta_seconds"]) == (None, None)


def test_the_list_is_ones_own_newest_first_in_pages(user: User, client: APIClient) -> None:
    for number in range(5):
        make_batch(user, name=f"batch {number}")
    make_batch(make_user(), name="of somebody else")
    assert names(client.get(LIST)) == [f"batch {number}" for number in (4, 3, 2, 1, 0)]
    page = client.get(f"{LIST}?limit=2&offset=1")
    assert names(page) == ["batch 3", "batch 2"]
    assert page.json()["total"] == 5
    assert names(client.get(f"{LIST}?offset=100")) == []


@pytest.mark.usefixtures("noon")
def test_the_list_is_searched_by_the_names_of_files(
    user: User, client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videos.services.selectors.FILES_SEARCHED", 2)
    oldest, middle, newest = (make_batch(user, 2, name=name) for name in ("one", "two", "three"))
    for batch, image, audio in ((oldest, "Li Lei", "a"), (middle, "Han Meimei", "b"), (newest, "李雷", "c")):
        batch.items.filter(position=1).update(original_name=f"{image}.jpg")
        Batch.objects.filter(pk=batch.pk).update(audio_name=f"{audio}-speech.mp3")
    stranger = make_batch(make_user(), 1)
    stranger.items.update(original_name="李雷.jpg")

    def found(words: str) -> list[str]:
        return [batch["name"] for batch in client_of_user.get(LIST, {"search": words}).json()["batches"]]

    assert found("李雷") == ["three"]
    assert found("meimei") == ["two"]
    assert found("B-SPEECH") == ["two"]
    assert found("li lei") == [], "older than what is looked at"
    assert found("one") == ["one"], "by its own name still"


def test_the_list_is_searched_and_filtered(user: User, client: APIClient) -> None:
    make_batch(user, name="Spring sale")
    finish()
    old = make_batch(user, name="spring clean")
    make_batch(user, name="100% wool_")
    Batch.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3))
    today = timezone.localdate()
    assert set(names(client.get(f"{LIST}?search=SPRING"))) == {"Spring sale", "spring clean"}
    assert names(client.get(f"{LIST}?search=%25")) == ["100% wool_"]
    assert names(client.get(f"{LIST}?status=completed")) == ["Spring sale"]
    assert names(client.get(f"{LIST}?date_to={today - timedelta(days=1)}")) == ["spring clean"]
    assert len(names(client.get(f"{LIST}?date_from={today}&date_to={today}"))) == 2


def test_what_the_engines_server_expects_is_told_in_seconds(user: User, client: APIClient) -> None:
    batch = make_batch(user)
    claimed = claim()
    for eta_s, least, most in ((300.0, 240, 300), (-5.0, 0, 0)):
        heartbeats.show_progress(claimed, 5, server_position=2, server_eta_s=eta_s)
        [item] = client.get(f"{LIST}/{batch.pk}").json()["items"]
        assert item["server_position"] == 2
        assert least <= item["server_eta_s"] <= most


def test_administrators_see_everybodys_batches(client_of_admin: APIClient) -> None:
    first, second = make_user(), make_user()
    make_batch(first, 2, name="a"), make_batch(second, name="b")
    assert set(names(client_of_admin.get("/api/admin/batches"))) == {"a", "b"}
    assert names(client_of_admin.get(f"/api/admin/batches?user={first.pk}")) == ["a"]
    assert names(client_of_admin.get("/api/admin/batches?ordering=image_count")) == ["b", "a"]


@pytest.mark.parametrize("path", [LIST, "/api/admin/batches", "/api/admin/users", "/api/user/credits"])
def test_no_list_makes_more_queries_as_it_grows(path: str) -> None:
    admin = make_user(is_admin=True)
    client = client_for(admin)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(f"{path}?limit=100").status_code == 200
        return len(captured)

    make_batch(admin, 1)
    few = queries()
    for _ in range(6):
        make_batch(admin, 5)
        make_batch(make_user(), 2)
    claim(), finish()
    assert queries() == few


def test_a_batch_makes_no_more_queries_as_it_grows(user: User, client: APIClient) -> None:
    counts = []
    for images in (1, 12):
        batch = make_batch(user, images)
        with CaptureQueriesContext(connection) as captured:
            client.get(f"{LIST}/{batch.pk}")
        counts.append(len(captured))
    assert counts[0] == counts[1]


# --- Changing --------------------------------------------------------------------------------------


def test_a_batch_is_renamed(user: User, client: APIClient) -> None:
    batch = make_batch(user)
    answer = client.patch(f"{LIST}/{batch.pk}", {"name": " 春节 "}, format="json")
    assert answer.json()["name"] == "春节"
    assert client.get(f"{LIST}/{batch.pk}").json()["name"] == "春节"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\x00b", None, ["a"]])
def test_a_name_that_is_none_is_refused(user: User, client: APIClient, name: Any) -> None:
    batch = make_batch(user, name="Spring")
    assert client.patch(f"{LIST}/{batch.pk}", {"name": name}, format="json").status_code == 400
    batch.refresh_from_db()
    assert batch.name == "Spring"


@pytest.mark.django_db(transaction=True)
def test_deleting_a_batch_refunds_what_waits_and_removes_its_files() -> None:
    user = make_user()
    client, batch = client_for(user), make_batch(user, 3)
    done = finish()
    assert client.delete(f"{LIST}/{batch.pk}").json() == {"success": True}
    assert client.get(f"{LIST}/{batch.pk}").status_code == 404
    user.refresh_from_db()
    assert user.credits == 99, "the finished video stays paid"
    assert deletions.work_off() >= 1
    assert not default_storage.exists(done.video)
    assert not default_storage.exists(batch.audio)
    assert not list(files.stored_files(keys.batch_prefix(batch.pk)))
    kinds = [entry["kind"] for entry in client.get("/api/user/credits").json()["entries"]]
    assert sorted(kinds) == ["charge"] * 3 + ["grant"] + ["refund"] * 2


def test_cancelling_a_batch_refunds_all_that_has_not_finished(user: User, client: APIClient) -> None:
    batch = make_batch(user, 4)
    finish()
    claim()
    assert client.post(f"{LIST}/{batch.pk}/cancel").json() == {"success": True, "count": 3}
    assert client.post(f"{LIST}/{batch.pk}/cancel").json() == {"success": True, "count": 0}
    body = client.get(f"{LIST}/{batch.pk}").json()
    assert (body["status"], body["creditsUsed"], body["progress"]["cancelled"]) == ("partial", 1, 3)
    assert client.get("/api/user/profile").json()["credits"] == 99
    assert_all_is_settled()


def test_a_finished_item_cannot_be_cancelled_or_retried(user: User, client: APIClient) -> None:
    make_batch(user)
    item = finish()
    for action in ("cancel", "resume"):
        answer = client.post(f"{LIST}/{item.batch_id}/items/{item.pk}/{action}")
        assert answer.status_code == 409
        assert answer.json()["code"] == "conflict"
    assert_all_is_settled()


def test_a_failed_item_is_retried_for_a_credit(user: User, client: APIClient) -> None:
    item = make_item(user)
    attempts.fail(claim(), FINAL)
    path = f"{LIST}/{item.batch_id}/items/{item.pk}/resume"
    assert client.post(path).json() == {"success": True}
    assert client.post(path).status_code == 409
    assert client.get("/api/user/profile").json()["credits"] == 99
    assert_all_is_settled()


def test_retrying_a_batch_takes_its_failed_and_its_cancelled_items(user: User, client: APIClient) -> None:
    batch = make_batch(user, 4)
    attempts.fail(claim(), FINAL), attempts.fail(claim(), FINAL)
    assert attempts.complete(claim(), StoredResult(video="v.mp4", poster="", duration_s=0.6))
    client.post(f"{LIST}/{batch.pk}/cancel")
    assert client.get("/api/user/profile").json()["credits"] == 99
    assert client.post(f"{LIST}/{batch.pk}/retry_failed").json() == {"success": True, "count": 3}
    statuses = sorted(batch.items.values_list("status", flat=True))
    assert statuses == ["completed", "pending", "pending", "pending"]
    assert client.get("/api/user/profile").json()["credits"] == 96
    assert_all_is_settled()


def test_all_are_retried_or_those_whom_it_helps(user: User) -> None:
    batch = make_batch(user, 3)
    attempts.fail(claim(), Verdict("no_face"))
    attempts.fail(claim(), Verdict("internal_error", retryable=True, tries_again=False))
    client = client_for(user)
    client.post(f"{LIST}/{batch.pk}/cancel")
    path = f"{LIST}/{batch.pk}/retry_failed"
    assert client.post(path, {"where_it_helps": True}, format="json").json()["count"] == 2
    assert batch.items.get(status="failed").error_code == "no_face"
    assert client.post(path).json()["count"] == 1


def test_an_item_has_a_task_once_a_worker_has_it_and_says_whether_a_retry_helps(
    user: User, client: APIClient
) -> None:
    item = make_item(user)

    def shown() -> tuple[bool, bool]:
        body = client.get(f"{LIST}/{item.batch_id}").json()["items"][0]
        assert body["api_task_id"] is None or body["api_task_id"]
        return body["api_task_id"] is not None, body["retry_helps"]

    assert shown() == (False, False)
    claimed = claim()
    assert shown() == (True, False)
    attempts.fail(claimed, FINAL)
    assert shown() == (True, False)
    client.post(f"{LIST}/{item.batch_id}/retry_failed")
    assert shown() == (False, False)
    client.post(f"{LIST}/{item.batch_id}/cancel")
    assert shown() == (False, True)


def test_the_addresses_of_an_items_video_and_portrait(user: User, client: APIClient) -> None:
    item = make_item(user)
    path = f"{LIST}/{item.batch_id}/items/{item.pk}"
    missing = client.get(f"{path}/result_url?name=output_video")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert attempts.complete(claim(), StoredResult(video="v.mp4", poster="", duration_s=0.6))
    body = client.get(f"{LIST}/{item.batch_id}").json()["items"][0]
    result = client.get(f"{path}/result_url?name=output_video&filename=x.mp4")
    assert result.json() == {"url": body["video_url"]}
    portrait = client.get(f"{path}/input_url?name=input_image").json()
    assert portrait == {"url": body["source_image_url"]}
    assert portrait["url"].startswith("http")
    for name in ("result_url", "input_url"):
        assert client_for(make_user()).get(f"{path}/{name}").status_code == 404


def test_a_retry_that_cannot_be_paid_is_402(client_of_admin: APIClient) -> None:
    user = make_user(credits=1)
    item = make_item(user)
    attempts.fail(claim(), FINAL)
    ledger.set_credits(user_id=user.pk, new_credits=0, reason="test", acting_user=None)
    for path in (f"items/{item.pk}/resume", "retry_failed"):
        answer = client_for(user).post(f"{LIST}/{item.batch_id}/{path}")
        assert answer.status_code == 402
        assert (answer.json()["required"], answer.json()["available"]) == (1, 0)
    assert_all_is_settled()


def test_a_failed_items_image_is_replaced_and_rendered_again(user: User, client: APIClient) -> None:
    item = make_item(user)
    attempts.fail(claim(), FINAL)
    path = f"{LIST}/{item.batch_id}/items/{item.pk}/replace"
    bad = client.post(path, {"image": file("bad.jpg", b"text")}, format="multipart")
    assert bad.status_code == 400
    assert bad.json()["errors"]["images"][0]["name"] == "bad.jpg"
    assert client.post(path).json()["code"] == "no_images"
    good = client.post(path, {"image": file("new.jpg", image_bytes(200))}, format="multipart")
    assert good.json() == {"success": True}
    old = item.source_image
    item.refresh_from_db()
    assert (item.status, item.original_name, item.width, item.run) == ("pending", "new.jpg", 200, 2)
    deletions.work_off()
    assert default_storage.exists(item.source_image)
    assert not default_storage.exists(old)
    again = client.post(path, {"image": file("c.jpg", image_bytes())}, format="multipart")
    assert again.status_code == 409
    deletions.work_off()
    assert default_storage.exists(item.source_image), "a refused replacement took the files away"
    assert_all_is_settled()
