"""Portraits of the library are looked at when they are used again, on disk and on S3."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.forms import CREATE, file, form, submit
from tests.api.stores import store  # noqa: F401 - a fixture
from tests.support.books import assert_books_balance
from tests.support.media import PORTRAIT, image_bytes
from videos.models import Batch, VideoItem
from videos.services import faces
from videos.store import files as stored
from videos.store.files import StoredKey

THREAD_TIMEOUT_S = 60

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


@pytest.fixture(autouse=True)
def _closed(settings: LazySettings) -> Iterator[None]:
    settings.FACE_CHECK_TIME_LIMIT_S = 60.0
    yield
    faces._checker(60.0).close()
    faces._checker.cache_clear()


@pytest.fixture
def kept(client_of_user: APIClient, settings: LazySettings) -> list[str]:
    """References to two stored portraits, one of which has no face, as another engine may have taken it."""
    settings.FACE_CHECK = False
    pictures = [file("face.jpg", PORTRAIT.read_bytes()), file("nobody.jpg", image_bytes())]
    made = submit(client_of_user, form(pictures)).json()
    settings.FACE_CHECK = True
    items = VideoItem.objects.filter(batch_id=made["batch_id"]).order_by("position")
    return [f"item:{item.pk}" for item in items]


def again(client: APIClient, images: list[str], query: str = "") -> Any:
    batch = Batch.objects.earliest("created_at")
    body = {"images": images, "audio": f"batch:{batch.pk}", "prompt": ""}
    return client.post(f"{CREATE}{query}", body, format="json")


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_stored_portrait_that_the_engine_would_refuse_is_named(
    user: User, client_of_user: APIClient, kept: list[str], query: str
) -> None:
    user.refresh_from_db()
    before = user.credits
    answer = again(client_of_user, [*kept, kept[1]], query)
    assert answer.status_code == 400, answer.content
    found = [(one["index"], one["name"], one["code"]) for one in answer.json()["errors"]["images"]]
    assert found == [(1, "nobody.jpg", "no_face"), (2, "nobody.jpg", "no_face")]
    user.refresh_from_db()
    assert user.credits == before
    assert Batch.objects.count() == 1
    assert again(client_of_user, kept[:1], query).status_code == (200 if query else 201)
    assert_books_balance()


def test_what_does_not_come_from_the_store_in_time_is_not_refused(
    client_of_user: APIClient,
    kept: list[str],
    settings: LazySettings,
    store: str,  # noqa: F811
) -> None:
    settings.FACE_CHECK_TIME_LIMIT_S = 0.0
    assert again(client_of_user, [kept[1]]).status_code == 201


def test_a_store_that_never_answers_is_not_waited_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    store: str,  # noqa: F811
) -> None:
    released = threading.Event()

    def never(key: str, bucket: object, ends_at: float) -> Iterator[bytes]:
        released.wait(THREAD_TIMEOUT_S)
        yield b"too late"

    monkeypatch.setattr(stored, "is_remote", lambda: True)
    monkeypatch.setattr(stored, "bucket", object)
    monkeypatch.setattr(stored, "_remote_chunks", never)
    try:
        with stored.local_copies([StoredKey("a", 1), PORTRAIT], tmp_path, 0.05) as files:
            assert set(files) == {PORTRAIT}
    finally:
        released.set()


def test_a_file_that_breaks_off_is_asked_for_no_more_once_it_is_too_late(store: str) -> None:  # noqa: F811
    asked: list[str] = []

    class Breaking:
        name, client = "media", property(lambda self: self)

        def name_of(self, key: str) -> str:
            return key

        def get_object(self, **wanted: str) -> None:
            asked.append(wanted["Key"])
            too_late.wait(THREAD_TIMEOUT_S)
            raise ConnectionError

    too_late = threading.Event()
    ends_at = time.monotonic() + 0.05
    timer = threading.Timer(0.1, too_late.set)
    timer.start()
    with pytest.raises(TimeoutError):
        list(stored._remote_chunks("a", cast("Any", Breaking()), ends_at))
    timer.join()
    assert asked == ["a"]


def test_several_files_come_at_once_and_those_that_are_gone_do_not(kept: list[str], tmp_path: Path) -> None:
    items = VideoItem.objects.order_by("position")
    keys = [StoredKey(item.source_image, 1) for item in items]
    gone = StoredKey("batches/none/source/gone.jpg", 1)
    with stored.local_copies([*keys, gone, PORTRAIT], tmp_path, 60.0) as files:
        assert set(files) == {*keys, PORTRAIT}
        for key in keys:
            assert files[key].read_bytes() == b"".join(stored.chunks(key.key))
        assert files[PORTRAIT] == PORTRAIT
    assert list(tmp_path.iterdir()) == [] or (tmp_path / "media").exists()
