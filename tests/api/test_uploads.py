"""Direct uploads, on disk and on S3: announced, sent in parts, taken once by a batch."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.forms import CREATE
from tests.api.stores import (
    SMALL_PART,
    UPLOADS,
    announce,
    batch_of_keys,
    put,
    raw_files,
    row,
    send,
    store,  # noqa: F401 - a fixture
    unfinished_in,
    uploaded,
)
from tests.servers import S3Server
from tests.support.books import assert_all_is_settled, assert_books_balance
from tests.support.media import image_bytes, wav_bytes
from tests.support.parallel import all_at_once
from tests.support.rows import client_for, make_item, make_user
from videos.models import Batch, ItemStatus, Upload, UploadStatus
from videos.services.uploads import delete_abandoned

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


def create(client: APIClient, body: dict[str, Any], query: str = "", **headers: Any) -> Any:
    return client.post(f"{CREATE}{query}", body, format="json", **headers)


def codes(answer: Any, field: str = "images") -> list[tuple[int, str]]:
    """Which files an answer names, and why."""
    assert answer.status_code == 400, answer.content
    return [(problem["index"], problem["code"]) for problem in answer.json()["errors"].get(field, [])]


def test_a_batch_is_made_of_uploads(user: User, client_of_user: APIClient, settings: LazySettings) -> None:
    body = batch_of_keys(client_of_user, 3)
    answer = create(client_of_user, {**body, "prompt": "微笑", "name": "Spring"})
    assert answer.status_code == 201, answer.content
    assert (answer.json()["image_count"], answer.json()["credits"]) == (3, 97)
    batch = Batch.objects.get(pk=answer.json()["batch_id"])
    assert (batch.user, batch.prompt, batch.name, batch.audio_name) == (user, "微笑", "Spring", "speech.wav")
    items = list(batch.items.order_by("position"))
    assert [item.original_name for item in items] == ["face 0.jpg", "face 1.jpg", "face 2.jpg"]
    assert all(default_storage.exists(item.source_image) for item in items)
    assert set(Upload.objects.values_list("status", flat=True)) == {UploadStatus.USED}
    assert raw_files() == []
    assert not list(settings.WORK_DIR.glob("*/upload-*"))
    assert_all_is_settled()


def test_a_file_of_many_parts_arrives_in_any_order_and_again(
    client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.UPLOAD_PART_BYTES = SMALL_PART
    audio = wav_bytes(170, 32_000)  # 10.9 MB: three parts
    (upload,) = announce(client_of_user, ("speech.wav", audio))
    assert [part["size"] for part in upload["parts"]] == [SMALL_PART, SMALL_PART, len(audio) - 2 * SMALL_PART]
    send(upload, audio, (3,))
    send(upload, b"x" * len(audio), (1,))
    seen = client_of_user.get(f"{UPLOADS}/{upload['key']}").json()
    assert [part["received"] for part in seen["parts"]] == [True, False, True]
    assert seen["status"] == "open"
    (image,) = uploaded(client_of_user, ("a.jpg", image_bytes()))
    body = {"images": [image], "audio": upload["key"]}
    unfinished = create(client_of_user, body)
    assert unfinished.json()["errors"]["audio"]["code"] == "upload_unfinished"
    send(seen, audio, (1, 2))  # by the fresh URLs; the first part a second time
    assert create(client_of_user, body).status_code == 201
    assert Batch.objects.get().audio_duration_s == pytest.approx(170, abs=0.01)


def test_what_was_announced_is_what_may_come(client_of_user: APIClient, settings: LazySettings) -> None:
    settings.UPLOAD_PART_BYTES = SMALL_PART
    data = bytes(SMALL_PART + 100)
    small, large = announce(client_of_user, ("a.jpg", image_bytes()), ("b.jpg", data))
    for upload in (small, large):
        for part in upload["parts"]:
            for wrong in (part["size"] - 1, part["size"] + 1):
                assert put(part["url"], bytes(wrong), upload["headers"]) in {400, 403}
    assert put(small["url"].replace(small["key"], large["key"]), image_bytes(), small["headers"]) == 403
    assert put(large["parts"][1]["url"], data[:SMALL_PART], large["headers"]) in {400, 403}
    for upload in (small, large):
        parts = client_of_user.get(f"{UPLOADS}/{upload['key']}").json()["parts"]
        assert not any(part["received"] for part in parts)


def test_a_forged_or_expired_url_takes_nothing(client_of_user: APIClient, store: str) -> None:  # noqa: F811
    (upload,) = announce(client_of_user, ("a.jpg", image_bytes()))
    url = upload["url"]
    if store == "s3":
        forged = [url[:-1] + ("0" if url[-1] != "0" else "1"), url.split("?")[0]]
    else:
        token = url.split("/media/")[1].split("/")[0]
        stamp, _, signature = token.partition("-")
        forged = [
            url.replace(token, f"{int(stamp, 16) + 3600:x}-{signature}"),
            url.replace(token, f"0-{signature}"),
            url.replace(f"/{upload['key']}/1", f"/{upload['key']}/2"),
        ]
    for other in forged:
        assert put(other, image_bytes(), upload["headers"]) == 403
    seen = client_of_user.get(f"{UPLOADS}/{upload['key']}").json()
    assert not any(part["received"] for part in seen["parts"])


def test_every_unusable_key_is_named_at_once(client_of_user: APIClient, settings: LazySettings) -> None:
    good = batch_of_keys(client_of_user)
    (foreign,) = uploaded(client_for(make_user()), ("theirs.jpg", image_bytes()))
    (unfinished,) = announce(client_of_user, ("late.jpg", image_bytes()))
    (used,) = uploaded(client_of_user, ("used.jpg", image_bytes()))
    Upload.objects.filter(pk=used).update(status=UploadStatus.USED, seal="x")
    (expired,) = uploaded(client_of_user, ("old.jpg", image_bytes()))
    Upload.objects.filter(pk=expired).update(expires_at=timezone.now())
    (text,) = uploaded(client_of_user, ("text.jpg", b"no picture"))
    unknown = ["", "nonsense", "00000000-0000-4000-8000-000000000000", good["images"][0].upper()]
    images = [*good["images"], foreign, unfinished["key"], used, expired, text, *unknown[1:], *good["images"]]
    for query in ("?dry_run=true", ""):
        answer = create(client_of_user, {"images": images, "audio": good["audio"]}, query)
        assert codes(answer) == [
            (1, "upload_unknown"),
            (2, "upload_unfinished"),
            (3, "upload_used"),
            (4, "upload_unknown"),
            (5, "image_type"),
            (6, "upload_unknown"),
            (7, "upload_unknown"),
            (8, "upload_unknown"),
            (9, "upload_used"),
        ]
        named = {problem["index"]: problem["name"] for problem in answer.json()["errors"]["images"]}
        assert (named[1], named[2], named[3]) == (foreign, "late.jpg", "used.jpg")
        assert "audio" not in answer.json()["errors"]
    assert_books_balance()
    assert create(client_of_user, good).status_code == 201  # a refusal used nothing up


def test_one_file_cannot_be_the_image_and_the_recording(client_of_user: APIClient) -> None:
    body = batch_of_keys(client_of_user)
    answer = create(client_of_user, {"images": body["images"], "audio": body["images"][0]})
    assert answer.json()["errors"]["audio"]["code"] == "upload_used"


def test_what_was_altered_after_the_check_is_refused(
    client_of_user: APIClient,
    store: str,  # noqa: F811
) -> None:
    first, second = image_bytes(), image_bytes(161)[: len(image_bytes())].ljust(len(image_bytes()), b"\0")
    (upload,) = announce(client_of_user, ("a.jpg", first))
    send(upload, first)
    (audio,) = uploaded(client_of_user, ("s.wav", wav_bytes()))
    body = {"images": [upload["key"]], "audio": audio}
    assert create(client_of_user, body, "?dry_run=true").status_code == 200
    status = put(upload["url"], second, upload["headers"])
    if store == "s3":  # the URL outlives the check there, so the bytes are compared
        assert status == 200
        assert codes(create(client_of_user, body)) == [(0, "upload_changed")]
    else:
        assert status == 409
        assert create(client_of_user, body).status_code == 201


def test_a_dry_run_uses_nothing_up(user: User, client_of_user: APIClient) -> None:
    body = batch_of_keys(client_of_user, 2)
    for _ in range(2):
        answer = create(client_of_user, body, "?dry_run=true")
        assert answer.status_code == 200, answer.content
        assert (answer.json()["price"], answer.json()["duration"]) == (2, 0.6)
    assert create(client_of_user, body).status_code == 201


def test_the_same_request_twice_is_done_once(user: User, client_of_user: APIClient) -> None:
    body = batch_of_keys(client_of_user, 2)
    first = create(client_of_user, body, HTTP_IDEMPOTENCY_KEY="k")
    again = create(client_of_user, body, HTTP_IDEMPOTENCY_KEY="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = batch_of_keys(client_of_user, 2)
    assert create(client_of_user, other, HTTP_IDEMPOTENCY_KEY="k").status_code == 422
    user.refresh_from_db()
    assert (user.credits, Batch.objects.count()) == (98, 1)


def test_without_credits_the_uploads_stay_usable() -> None:
    poor = make_user(credits=1)
    client = client_for(poor)
    body = batch_of_keys(client, 2)
    assert create(client, body).status_code == 402
    assert create(client, {**body, "images": body["images"][:1]}).status_code == 201


@pytest.mark.postgresql
def test_of_requests_at_once_one_takes_the_uploads(user: User, client_of_user: APIClient) -> None:
    body = batch_of_keys(client_of_user, 2)
    clients = [client_for(user) for _ in range(4)]
    answers = all_at_once([lambda client=client: create(client, body) for client in clients])  # type: ignore[misc]  # mypy cannot type a default of a lambda
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]
    for answer in answers:
        if answer.status_code == 400:
            assert codes(answer) == [(0, "upload_used"), (1, "upload_used")]
    user.refresh_from_db()
    assert (user.credits, Batch.objects.count()) == (98, 1)
    assert_books_balance()


def test_an_item_gets_another_image_by_key(user: User, client_of_user: APIClient) -> None:
    item = make_item(user)
    path = f"/api/video/batches/{item.batch_id}/items/{item.pk}/replace"
    assert client_of_user.post(path.replace("/replace", "/cancel")).status_code == 200
    (key,) = uploaded(client_of_user, ("better.jpg", image_bytes(200)))
    answer = client_of_user.post(path, {"image": key}, format="json")
    assert answer.status_code == 200, answer.content
    item.refresh_from_db()
    assert (item.original_name, item.width, item.status) == ("better.jpg", 200, ItemStatus.PENDING)
    assert row(key).status == UploadStatus.USED
    assert codes(client_of_user.post(path, {"image": key}, format="json")) == [(0, "upload_used")]
    (other,) = uploaded(client_of_user, ("more.jpg", image_bytes(200)))
    assert client_of_user.post(path, {"image": other}, format="json").status_code == 409
    assert row(other).status == UploadStatus.READY  # a refused replacement uses nothing up


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ({"name": "a.gif", "size": 10, "content_type": "image/gif"}, "upload_type"),
        ({"name": "a.jpg", "size": 0, "content_type": "image/jpeg"}, "image_empty"),
        ({"name": "a.jpg", "size": 20_000_001, "content_type": "image/jpeg"}, "image_too_large"),
        ({"name": "a.wav", "size": 50_000_001, "content_type": "audio/wav"}, "audio_too_large"),
        ({"name": "a.wav", "size": 0, "content_type": "audio/wav"}, "audio_empty"),
    ],
)
def test_files_that_could_never_be_taken_are_not_even_begun(
    client_of_user: APIClient, file: dict[str, Any], code: str
) -> None:
    good = {"name": "b.jpg", "size": 5, "content_type": "image/jpeg"}
    answer = client_of_user.post(UPLOADS, {"files": [good, file, file]}, format="json")
    assert codes(answer, "files") == [(1, code), (2, code)]
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"files": []},
        {"files": "x"},
        {"files": [{}]},
        {"files": [{"name": "a", "size": -1, "content_type": "image/jpeg"}]},
        {"files": [{"name": "a", "size": 1e30, "content_type": "image/jpeg"}]},
        {"files": [{"name": "a\0", "size": 1, "content_type": "image/jpeg"}]},
        {"files": [{"name": "a", "size": 1, "content_type": "image/jpeg"}] * 201},
    ],
)
def test_a_senseless_announcement_is_400(client_of_user: APIClient, body: Any) -> None:
    assert client_of_user.post(UPLOADS, body, format="json").status_code == 400


def test_a_user_may_have_so_many_waiting(client_of_user: APIClient, settings: LazySettings) -> None:
    settings.UPLOAD_MAX_OPEN_FILES = 3
    keys = [upload["key"] for upload in announce(client_of_user, *[("a.jpg", b"12345")] * 3)]
    file = {"name": "a.jpg", "size": 5, "content_type": "image/jpeg"}
    answer = client_of_user.post(UPLOADS, {"files": [file]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_uploads")
    assert client_of_user.delete(f"{UPLOADS}/{keys[0]}").status_code == 200
    assert client_of_user.post(UPLOADS, {"files": [file]}, format="json").status_code == 201
    settings.UPLOAD_MAX_OPEN_MB, settings.UPLOAD_MAX_OPEN_FILES = 1, 100
    large = {**file, "size": 1_000_000}
    assert client_of_user.post(UPLOADS, {"files": [large]}, format="json").status_code == 409


@pytest.mark.postgresql
def test_calls_at_once_do_not_pass_the_limit_together(user: User, settings: LazySettings) -> None:
    settings.UPLOAD_MAX_OPEN_FILES = 3
    file = {"name": "a.jpg", "size": 5, "content_type": "image/jpeg"}
    clients = [client_for(user) for _ in range(4)]
    answers = all_at_once(
        [lambda c=client: c.post(UPLOADS, {"files": [file] * 2}, format="json") for client in clients]  # type: ignore[misc]  # as above
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert Upload.objects.count() == 2


def test_uploads_are_their_owners(client_of_user: APIClient, client_of_admin: APIClient) -> None:
    (upload,) = announce(client_of_user, ("a.jpg", image_bytes()))
    path = f"{UPLOADS}/{upload['key']}"
    for stranger in (client_of_admin, client_for(make_user())):
        assert stranger.get(path).status_code == 404
        assert stranger.delete(path).status_code == 404
    assert APIClient().get(path).status_code == 401
    assert client_of_user.get(path).status_code == 200


def test_a_forgotten_upload_takes_no_more_parts(client_of_user: APIClient, settings: LazySettings) -> None:
    settings.UPLOAD_PART_BYTES = SMALL_PART
    data = bytes(SMALL_PART + 1)
    (upload,) = announce(client_of_user, ("a.jpg", data))
    send(upload, data, (1,))
    assert client_of_user.delete(f"{UPLOADS}/{upload['key']}").status_code == 200
    assert put(upload["parts"][1]["url"], b"\0", upload["headers"]) in {404, 409}
    assert client_of_user.get(f"{UPLOADS}/{upload['key']}").status_code == 404
    assert raw_files() == []


def test_what_a_batch_took_cannot_be_forgotten(client_of_user: APIClient) -> None:
    body = batch_of_keys(client_of_user)
    create(client_of_user, body)
    answer = client_of_user.delete(f"{UPLOADS}/{body['audio']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_used")


def test_abandoned_uploads_vanish_after_a_day(
    client_of_user: APIClient,
    settings: LazySettings,
    s3_server: S3Server,
    store: str,  # noqa: F811
) -> None:
    settings.UPLOAD_PART_BYTES = SMALL_PART
    data = bytes(SMALL_PART + 1)
    whole, part = announce(client_of_user, ("a.jpg", image_bytes()), ("b.jpg", data))
    send(whole, image_bytes())
    send(part, data, (1,))
    (kept,) = uploaded(client_of_user, ("new.jpg", image_bytes()))
    assert delete_abandoned() == 0
    Upload.objects.exclude(pk=kept).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert delete_abandoned() == 2
    assert [str(pk) for pk in Upload.objects.values_list("pk", flat=True)] == [kept]
    assert raw_files() == [kept]
    if store == "s3":
        assert not unfinished_in(s3_server)
    body = {"images": [kept], "audio": uploaded(client_of_user, ("s.wav", wav_bytes()))[0]}
    assert create(client_of_user, body).status_code == 201
