"""Submitting a batch: what is made, what is refused, what it costs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.forms import CREATE, file, form, submit, submit_raw
from tests.badfiles.cases import CASES
from tests.support.books import assert_all_is_settled, assert_books_balance
from tests.support.media import image_bytes, wav_bytes
from tests.support.rows import client_for, make_user
from videos.models import Batch, VideoItem
from videos.store import deletions, files, keys, scratch
from zhiying.kernel.models import IdempotencyRecord

pytestmark = pytest.mark.django_db


def assert_nothing_happened(user: User) -> None:
    """No row, no charge, no file, nothing in the scratch folder."""
    user.refresh_from_db()
    assert user.credits == 100
    assert not Batch.objects.exists()
    assert_books_balance()


@pytest.fixture(autouse=True)
def _no_file_is_left_behind(settings: LazySettings, tmp_path: Path) -> Iterator[None]:
    """A media folder of its own for every test, and no scratch files after it."""
    location = {"location": str(tmp_path / "media")}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": location},
    }
    before = set(scratch.own_folder().glob("*"))
    yield
    left = set(scratch.own_folder().glob("*")) - before
    assert not left, left


def test_a_batch_is_made_charged_and_waits(user: User, client_of_user: APIClient) -> None:
    answer = submit(client_of_user, form(3, prompt="微笑", name=" Spring "))
    assert answer.status_code == 201, answer.content
    data = answer.json()
    assert (data["image_count"], data["credits_used"], data["credits"], data["name"]) == (3, 3, 97, "Spring")
    assert client_of_user.get(answer.headers["Location"]).json()["id"] == data["batch_id"]
    batch = Batch.objects.get(pk=data["batch_id"])
    assert (batch.user, batch.prompt, batch.audio_name, batch.status) == (
        user,
        "微笑",
        "speech.wav",
        "pending",
    )
    assert batch.audio_duration_s == pytest.approx(0.6, abs=0.01)
    for item in batch.items.all():
        assert default_storage.exists(item.source_image)
        assert default_storage.exists(item.thumbnail)
        assert (item.width, item.height, item.run, item.attempt) == (160, 160, 1, 0)
    assert_all_is_settled()


def test_files_keep_their_names_and_order(client_of_user: APIClient) -> None:
    names = ["b.jpg", "a.png", "李雷 (1).webp", "<img src=x>.jpg"]
    kinds = ["JPEG", "PNG", "WEBP", "JPEG"]
    files = [file(name, image_bytes(kind=kind)) for name, kind in zip(names, kinds, strict=True)]
    submit(client_of_user, form(files))
    assert list(VideoItem.objects.order_by("position").values_list("original_name", flat=True)) == names


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a\\..\\b.jpg", "a\x01b.jpg", "x" * 400 + ".jpg", "..."]
)
def test_a_file_name_is_only_a_name(client_of_user: APIClient, name: str) -> None:
    answer = submit_raw(client_of_user, name)
    assert answer.status_code == 201, answer.content
    item = VideoItem.objects.get()
    assert "/" not in item.original_name
    assert item.original_name.isprintable()
    assert 0 < len(item.original_name) <= 255
    assert item.source_image == keys.source_key(item.batch_id, item.pk)


@pytest.mark.parametrize("name", [".", "..", "", "a/"])
def test_a_file_without_a_name_is_no_file(client_of_user: APIClient, name: str) -> None:
    answer = submit_raw(client_of_user, name)
    assert answer.status_code == 400
    assert answer.json()["errors"]["image_count"]["code"] == "no_images"


@pytest.mark.parametrize("field", ["images", "images[]"])
def test_both_spellings_of_the_repeated_field_are_taken(client_of_user: APIClient, field: str) -> None:
    body = form(2)
    body[field] = body.pop("images")
    assert submit(client_of_user, body).json()["image_count"] == 2


@pytest.mark.usefixtures("noon")
def test_default_names_tell_batches_of_one_day_apart(client_of_user: APIClient) -> None:
    names = [submit(client_of_user).json()["name"] for _ in range(3)]
    assert names[0].startswith("批次 20")
    assert names[1:] == [f"{names[0]} (2)", f"{names[0]} (3)"]


@pytest.mark.usefixtures("noon")
def test_default_names_are_told_apart_by_the_batches_of_that_day_alone(
    user: User, client_of_user: APIClient
) -> None:
    """Those of other days, however many, are not read."""
    name = submit(client_of_user).json()["name"]
    yesterday = timezone.now() - timedelta(days=1)
    Batch.objects.filter(user=user).update(created_at=yesterday)
    assert [submit(client_of_user).json()["name"] for _ in range(2)] == [name, f"{name} (2)"]


def test_dry_run_checks_and_prices_and_makes_nothing(user: User, client_of_user: APIClient) -> None:
    answer = submit(client_of_user, form(2), f"{CREATE}?dry_run=true", HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status_code == 200
    assert answer.json() == {
        "ok": True,
        "image_count": 2,
        "price_per_image": 1,
        "price": 2,
        "credits": 100,
        "sufficient": True,
        "duration": 0.6,
        "engine": {"name": "portrait", "label": "portrait"},
        "notices": [],
    }
    assert not IdempotencyRecord.objects.exists()
    assert_nothing_happened(user)


def test_dry_run_says_when_credits_do_not_suffice() -> None:
    answer = submit(client_for(make_user(credits=1)), form(2), f"{CREATE}?dry_run=true")
    assert answer.status_code == 200
    assert answer.json()["sufficient"] is False


def test_without_enough_credits_nothing_is_made() -> None:
    user = make_user(credits=1)
    answer = submit(client_for(user), form(2))
    assert answer.status_code == 402
    assert answer.json()["code"] == "insufficient_credits"
    assert (answer.json()["required"], answer.json()["available"]) == (2, 1)
    assert not Batch.objects.exists()
    deletions.work_off()
    assert not list(files.stored_files("batches/"))


def test_every_problem_is_named_at_once_and_costs_nothing(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.PROMPT_MAX_CHARS = 5
    images = [file("good.jpg", image_bytes()), file("bad.jpg", b"text"), file("tiny.png", image_bytes(64))]
    answer = submit(client_of_user, form(images, audio=file("a.mp3", b""), prompt="too long"))
    assert answer.status_code == 400
    body = answer.json()
    assert body["code"] == "invalid_batch"
    named = [(problem["index"], problem["name"], problem["code"]) for problem in body["errors"]["images"]]
    assert [entry[:2] for entry in named] == [(1, "bad.jpg"), (2, "tiny.png")]
    assert named[1][2] == "image_too_small"
    assert body["errors"]["audio"]["code"] == "audio_empty"
    assert body["errors"]["prompt"]["code"] == "prompt_too_long"
    assert "bad.jpg" in body["detail"]
    assert_nothing_happened(user)


@pytest.mark.slow
@pytest.mark.xdist_group("bad files")
def test_the_whole_corpus_of_bad_files_in_one_request(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    bad = [case for case in CASES if case.code]
    images = [case for case in bad if case.kind == "image"]
    settings.BATCH_MAX_IMAGES = len(images)
    files = [file(case.name, case.build()) for case in images]
    answer = submit(client_of_user, form(files, audio=None))
    assert answer.status_code == 400
    found = {problem["index"]: problem["code"] for problem in answer.json()["errors"]["images"]}
    wrong = {
        case.slug: (found.get(index), case.code)
        for index, case in enumerate(images)
        if found.get(index) != case.code
    }
    assert not wrong
    assert answer.json()["errors"]["audio"]["code"] == "audio_missing"
    for case in bad:
        if case.kind == "audio":
            answer = submit(client_of_user, form(1, audio=file(case.name, case.build())))
            assert answer.status_code == 400, case.slug
            assert answer.json()["errors"]["audio"]["code"] == case.code, case.slug
    assert_nothing_happened(user)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (form([], audio=None), "audio", "audio_missing"),
        (form([]), "image_count", "no_images"),
        (form(1, audio=None), "audio", "audio_missing"),
        (form(4), "image_count", "too_many_images"),
    ],
    ids=["nothing", "no image", "no audio", "too many"],
)
def test_what_is_missing_or_too_much_is_said(
    user: User, client_of_user: APIClient, settings: LazySettings, body: Any, field: str, code: str
) -> None:
    settings.BATCH_MAX_IMAGES = 3
    answer = submit(client_of_user, {**body, "name": "x"})
    assert answer.status_code == 400
    assert answer.json()["errors"][field]["code"] == code
    assert_nothing_happened(user)


def test_files_that_are_too_large_are_named_not_kept(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.IMAGE_MAX_BYTES, settings.AUDIO_MAX_BYTES = 10_000, 5_000
    images = [file("large.jpg", image_bytes() + b"\0" * 300_000), file("good.jpg", image_bytes())]
    answer = submit(client_of_user, form(images))
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert [(problem["name"], problem["code"]) for problem in errors["images"]] == [
        ("large.jpg", "image_too_large")
    ]
    assert errors["audio"]["code"] == "audio_too_large"
    assert_nothing_happened(user)


def test_a_request_larger_than_any_batch_is_refused_unread(
    client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.REQUEST_MAX_BYTES = 1000
    answer = submit(client_of_user)
    assert answer.status_code == 413
    assert answer.json()["code"] == "request_too_large"


def test_an_error_while_storing_takes_everything_back(
    user: User, client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = files.save_file

    def fail_late(path: Path, key: str) -> int:
        if "thumbnail" in key:
            raise OSError("disk full")
        return save(path, key)

    monkeypatch.setattr(files, "save_file", fail_late)
    client_of_user.raise_request_exception = False
    answer = submit(client_of_user)
    assert answer.status_code == 500
    assert answer.json()["code"] == "server_error"
    assert "disk full" not in answer.content.decode()
    deletions.work_off()
    assert not list(files.stored_files("batches/"))
    assert_nothing_happened(user)


# --- Idempotency-Key -------------------------------------------------------------------------------


def test_the_same_request_again_gets_the_first_answer(user: User, client_of_user: APIClient) -> None:
    first = submit(client_of_user, form(2), HTTP_IDEMPOTENCY_KEY="k")
    second = submit(client_of_user, form(2), HTTP_IDEMPOTENCY_KEY="k")
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    user.refresh_from_db()
    assert (user.credits, Batch.objects.count()) == (98, 1)


@pytest.mark.parametrize(
    "other",
    [
        form(1),
        form(2, prompt="x"),
        form(2, name="x"),
        form(2, audio=file("speech.wav", wav_bytes(0.7))),
        form([file("face 0.jpg", image_bytes()), file("face 1.jpg", image_bytes(161))]),
    ],
    ids=["images", "prompt", "name", "audio", "content"],
)
def test_another_request_under_the_same_key_is_422(client_of_user: APIClient, other: Any) -> None:
    assert submit(client_of_user, form(2), HTTP_IDEMPOTENCY_KEY="k").status_code == 201
    answer = submit(client_of_user, other, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"
    assert Batch.objects.count() == 1


def test_a_request_in_flight_is_409_with_retry_after(user: User, client_of_user: APIClient) -> None:
    submit(client_of_user, HTTP_IDEMPOTENCY_KEY="k")
    IdempotencyRecord.objects.update(status_code=None, body=None)
    answer = submit(client_of_user, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status_code == 409
    assert answer.json()["code"] == "idempotency_in_flight"
    assert int(answer.headers["Retry-After"]) > 0


def test_after_a_refusal_the_key_is_free_for_a_better_attempt(client_of_user: APIClient) -> None:
    assert submit(client_of_user, form([]), HTTP_IDEMPOTENCY_KEY="k").status_code == 400
    assert submit(client_of_user, form(1), HTTP_IDEMPOTENCY_KEY="k").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x00b", "a\nb"])
def test_an_impossible_key_is_refused(client_of_user: APIClient, key: str) -> None:
    answer = submit(client_of_user, HTTP_IDEMPOTENCY_KEY=key)
    assert answer.status_code == 400
    assert not Batch.objects.exists()
