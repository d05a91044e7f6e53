"""Portraits and recordings of earlier batches, listed and used again, on disk and on S3."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.forms import CREATE
from tests.api.stores import store, uploaded  # noqa: F401 - a fixture
from tests.store.keeping import assert_store_and_rows_agree, finish, work_all_off
from tests.support.books import assert_all_is_settled
from tests.support.media import image_bytes, wav_bytes
from tests.support.parallel import all_at_once, times
from tests.support.rows import client_for, make_batch, make_user
from videos.models import Batch, FileDeletion, StoredBytes
from videos.services import batches
from videos.store import files as stored

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]

LIBRARY = "/api/video/library"


def listed(client: APIClient, kind: str, query: str = "") -> Any:
    answer = client.get(f"{LIBRARY}?kind={kind}{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def refs(client: APIClient, kind: str) -> list[str]:
    return [file["ref"] for file in listed(client, kind)["files"]]


def create(client: APIClient, images: list[str], audio: str, query: str = "", **headers: Any) -> Any:
    body = {"images": images, "audio": audio, "prompt": "smile"}
    return client.post(f"{CREATE}{query}", body, format="json", **headers)


def read(key: str) -> bytes:
    return b"".join(stored.chunks(key))


def test_the_library_lists_what_is_kept_newest_first(user: User, client_of_user: APIClient) -> None:
    old, new = make_batch(user, 2, name="Old"), make_batch(user, 1, name="New")
    make_batch(make_user(), 3)
    images = listed(client_of_user, "image")
    assert [(file["batch_name"], file["name"]) for file in images["files"]] == [
        ("New", "face 0.jpg"),
        ("Old", "face 0.jpg"),
        ("Old", "face 1.jpg"),
    ]
    first = images["files"][0]
    assert (first["kind"], first["width"], first["duration"]) == ("image", 160, None)
    assert first["thumbnail_url"].startswith("http")
    sounds = listed(client_of_user, "audio")
    assert [(file["ref"], file["name"], file["duration"]) for file in sounds["files"]] == [
        (f"batch:{new.pk}", "speech.wav", 0.6),
        (f"batch:{old.pk}", "speech.wav", 0.6),
    ]
    assert [file["batch_name"] for file in listed(client_of_user, "audio", "&search=ol")["files"]] == ["Old"]
    Batch.objects.filter(pk=old.pk).update(files_removed_at=timezone.now(), stored_bytes=0)
    assert {file["batch_name"] for file in listed(client_of_user, "image")["files"]} == {"New"}
    assert client_of_user.get(LIBRARY).status_code == 400
    assert APIClient().get(f"{LIBRARY}?kind=image").status_code == 401


def test_pages_follow_each_other_and_cost_the_same(user: User, client_of_user: APIClient) -> None:
    for number in range(5):
        make_batch(user, 2, name=f"b{number}")
    seen, url = [], f"{LIBRARY}?kind=image&limit=2"
    while url:
        page = client_of_user.get(url.removeprefix("http://testserver")).json()
        seen += [(file["batch_name"], file["name"]) for file in page["files"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 10
    counts = []
    for limit in (1, 5):
        with CaptureQueriesContext(connection) as captured:
            listed(client_of_user, "image", f"&limit={limit}")
        counts.append(len(captured))
    assert counts[0] + 1 >= counts[1]  # the first page counts the total


def test_a_batch_is_made_of_what_is_stored_and_neither_needs_the_other(
    user: User, client_of_user: APIClient, tmp_path: Path
) -> None:
    old = make_batch(user, 2)
    portrait, sound = read(old.items.first().source_image), read(old.audio)  # type: ignore[union-attr]
    answer = create(client_of_user, refs(client_of_user, "image")[::-1], f"batch:{old.pk}")
    assert answer.status_code == 201, answer.content
    assert answer.json()["credits_used"] == 2
    new = Batch.objects.get(pk=answer.json()["batch_id"])
    items = list(new.items.order_by("position"))
    assert [item.original_name for item in items] == ["face 1.jpg", "face 0.jpg"]
    assert (new.audio_name, new.audio_duration_s, new.prompt) == ("speech.wav", 0.6, "smile")
    assert (items[0].width, items[0].height) == (160, 160)
    assert new.stored_bytes == old.stored_bytes > 0
    assert StoredBytes.objects.get(user=user).bytes == 2 * old.stored_bytes
    assert not set(old.items.values_list("source_image", flat=True)) & {item.source_image for item in items}

    batches.batch_delete(batch=old, acting_user=user)
    work_all_off()
    assert read(items[0].source_image) == portrait
    assert read(new.audio) == sound
    assert default_storage.exists(items[1].thumbnail)
    finish(tmp_path)
    assert_store_and_rows_agree()
    assert_all_is_settled()

    third = create(client_of_user, [f"item:{items[0].pk}"], f"batch:{new.pk}")
    batches.batch_delete(batch=Batch.objects.get(pk=third.json()["batch_id"]), acting_user=user)
    work_all_off()
    assert read(items[0].source_image) == portrait, "the copy took the original with it"
    assert_store_and_rows_agree()


def test_uploads_and_stored_files_are_mixed_in_the_order_sent(user: User, client_of_user: APIClient) -> None:
    old = make_batch(user, 1)
    item = old.items.get()
    first, last = uploaded(client_of_user, ("first.jpg", image_bytes()), ("last.jpg", image_bytes()))
    images = [first, f"item:{item.pk}", last]
    dry = create(client_of_user, images, f"batch:{old.pk}", "?dry_run=true")
    assert dry.json() == {
        "ok": True,
        "image_count": 3,
        "price_per_image": 1,
        "price": 3,
        "credits": 99,
        "sufficient": True,
        "duration": 0.6,
        "engine": {"name": "portrait", "label": "portrait"},
        "notices": [],
    }
    answer = create(client_of_user, images, f"batch:{old.pk}")
    new = Batch.objects.get(pk=answer.json()["batch_id"])
    names = list(new.items.order_by("position").values_list("original_name", flat=True))
    assert names == ["first.jpg", "face 0.jpg", "last.jpg"]
    again = create(client_of_user, images, f"batch:{old.pk}")
    problems = again.json()["errors"]["images"]
    assert [(problem["index"], problem["code"]) for problem in problems] == [
        (0, "upload_used"),
        (2, "upload_used"),
    ]
    assert_all_is_settled()
    assert_store_and_rows_agree()


def test_a_new_recording_with_stored_portraits(user: User, client_of_user: APIClient) -> None:
    old = make_batch(user, 2)
    (sound,) = uploaded(client_of_user, ("other.wav", wav_bytes(1.2)))
    images = [f"item:{pk}" for pk in old.items.order_by("position").values_list("pk", flat=True)]
    answer = create(client_of_user, images, sound)
    new = Batch.objects.get(pk=answer.json()["batch_id"])
    assert (new.audio_name, round(new.audio_duration_s, 1)) == ("other.wav", 1.2)
    assert new.image_count == 2


def test_what_is_not_mine_or_gone_is_named_and_costs_nothing(
    user: User, client_of_user: APIClient, client_of_admin: APIClient
) -> None:
    mine, other = make_batch(user, 2), make_batch(make_user(), 1)
    own, theirs = mine.items.first(), other.items.get()
    assert own is not None
    wrong = [
        f"item:{theirs.pk}",
        f"item:{own.pk}",
        f"item:{mine.pk}",
        f"batch:{mine.pk}",
        "item:nonsense",
        f"item:{own.pk}\x00",
    ]
    answer = create(client_of_user, wrong[:5], f"batch:{other.pk}")
    assert answer.status_code == 400
    found = answer.json()["errors"]
    assert [(problem["index"], problem["code"]) for problem in found["images"]] == [
        (index, "stored_gone") for index in (0, 2, 3, 4)
    ]
    assert found["audio"]["code"] == "stored_gone"
    assert create(client_of_user, wrong[5:], f"batch:{mine.pk}").status_code == 400
    # Not even an administrator makes somebody else's portraits talk.
    assert create(client_of_admin, [f"item:{own.pk}"], f"batch:{mine.pk}").status_code == 400
    default_storage.delete(own.source_image)
    gone = create(client_of_user, [f"item:{own.pk}"], f"batch:{mine.pk}").json()
    assert [problem["code"] for problem in gone["errors"]["images"]] == ["stored_gone"]
    user.refresh_from_db()
    assert user.credits == 98
    assert Batch.objects.count() == 2


def test_what_vanishes_while_it_is_copied_is_named_and_leaves_nothing(
    user: User, client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_batch(user, 2)
    last = old.items.order_by("position").last()
    assert last is not None
    real = stored.put_file

    def late(source: stored.FileSource, key: str) -> int:
        if isinstance(source, stored.StoredKey) and source.key == last.thumbnail:
            default_storage.delete(last.thumbnail)
        return real(source, key)

    monkeypatch.setattr(stored, "put_file", late)
    answer = create(client_of_user, refs(client_of_user, "image"), f"batch:{old.pk}")
    assert answer.status_code == 400
    assert [(problem["index"], problem["code"]) for problem in answer.json()["errors"]["images"]] == [
        (1, "stored_gone")
    ]
    user.refresh_from_db()
    assert user.credits == 98
    work_all_off()
    assert Batch.objects.count() == 1
    assert {file.key.split("/")[1] for file in stored.stored_files("batches/")} == {str(old.pk)}
    assert not FileDeletion.objects.exists()


def test_limits_that_became_narrower_are_told(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    old = make_batch(user, 1)
    settings.IMAGE_MIN_SIDE_PX, settings.AUDIO_MIN_S = 200, 1
    answer = create(client_of_user, refs(client_of_user, "image"), f"batch:{old.pk}").json()
    assert answer["errors"]["images"][0]["code"] == "image_too_small"
    assert answer["errors"]["audio"]["code"] == "audio_too_short"
    settings.IMAGE_MIN_SIDE_PX, settings.AUDIO_MIN_S, settings.AUDIO_MAX_S = 64, 0.1, 0.5
    answer = create(client_of_user, refs(client_of_user, "image"), f"batch:{old.pk}").json()
    assert answer["errors"]["audio"]["code"] == "audio_too_long"


def test_the_same_key_makes_one_batch_and_another_content_is_refused(
    user: User, client_of_user: APIClient
) -> None:
    old = make_batch(user, 2)
    images = refs(client_of_user, "image")

    def send() -> Any:
        return create(client_for(user), images, f"batch:{old.pk}", HTTP_IDEMPOTENCY_KEY="k")

    answers = all_at_once(times(3, send))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert send().status_code == 201
    assert Batch.objects.count() == 2
    other = create(client_of_user, images[:1], f"batch:{old.pk}", HTTP_IDEMPOTENCY_KEY="k")
    assert other.status_code == 422
    assert_all_is_settled()


def test_copies_count_against_the_quota(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    old = make_batch(user, 1)
    StoredBytes.objects.filter(user=user).update(bytes=1_000_000 - old.stored_bytes + 1)
    settings.QUOTA_MB = 1
    answer = create(client_of_user, refs(client_of_user, "image"), f"batch:{old.pk}")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (413, "quota_exceeded")


def test_a_failed_videos_image_is_replaced_by_a_stored_one(user: User, client_of_user: APIClient) -> None:
    batch = make_batch(user, 2)
    first, second = batch.items.order_by("position")
    client_of_user.post(f"/api/video/batches/{batch.pk}/items/{first.pk}/cancel")
    path = f"/api/video/batches/{batch.pk}/items/{first.pk}/replace"
    assert client_of_user.post(path, {"image": f"item:{second.pk}"}, format="json").status_code == 200
    first.refresh_from_db()
    assert (first.status, first.original_name) == ("pending", second.original_name)
    assert first.source_image != second.source_image
    assert_store_and_rows_agree()
    assert_all_is_settled()
