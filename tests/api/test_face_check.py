"""With FACE_CHECK, portraits that the engine would refuse are named before a credit moves."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from PIL import Image
from rest_framework.test import APIClient

from accounts.models import User
from engines.base import EngineError
from engines.portrait.check import PortraitCheck
from engines.registry import PORTRAIT_CHECKS, get_engine
from tests.api.forms import file, form, submit
from tests.support.books import assert_books_balance
from tests.support.media import MEDIA, PORTRAIT, image_bytes
from videos.media.face_check import FaceChecker
from videos.models import Batch, VideoItem
from videos.services import faces

pytestmark = pytest.mark.django_db
MONA_LISA = MEDIA / "portrait-mona-lisa.jpg"


@pytest.fixture(autouse=True)
def _checked(settings: LazySettings) -> Iterator[None]:
    settings.FACE_CHECK = True
    settings.FACE_CHECK_TIME_LIMIT_S = 60.0
    yield
    faces._checker("portrait", 60.0).close()
    faces._checker.cache_clear()


def small() -> bytes:
    stream = io.BytesIO()
    Image.open(PORTRAIT).resize((220, 220)).save(stream, "JPEG")
    return stream.getvalue()


def mixed() -> dict[str, Any]:
    pictures = [PORTRAIT.read_bytes(), image_bytes(), MONA_LISA.read_bytes(), small(), b"not an image"]
    return form([file(f"{number}.jpg", picture) for number, picture in enumerate(pictures)])


def test_every_unusable_portrait_is_named_and_nothing_charged(user: User, client_of_user: APIClient) -> None:
    answer = submit(client_of_user, mixed(), HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 400
    found = {(one["index"], one["code"]) for one in answer.json()["errors"]["images"]}
    assert found == {(1, "no_face"), (3, "face_too_narrow"), (4, "image_type")}
    assert "at least 64 are needed" in answer.json()["errors"]["images"][1]["detail"]
    user.refresh_from_db()
    assert user.credits == 100
    assert not Batch.objects.exists()
    assert_books_balance()


def test_the_sentence_is_in_the_caller_s_language(client_of_user: APIClient) -> None:
    answer = submit(client_of_user, mixed(), HTTP_ACCEPT_LANGUAGE="zh-hans")
    assert "人脸" in answer.json()["errors"]["images"][0]["detail"]


def test_usable_portraits_pass(client_of_user: APIClient) -> None:
    pictures = [file("a.jpg", PORTRAIT.read_bytes()), file("b.jpg", MONA_LISA.read_bytes())]
    assert submit(client_of_user, form(pictures)).status_code == 201


def test_without_the_setting_nobody_looks(client_of_user: APIClient, settings: LazySettings) -> None:
    settings.FACE_CHECK = False
    assert submit(client_of_user).status_code == 201


def test_a_check_that_cannot_run_refuses_nothing(tmp_path: Path) -> None:
    checker = FaceChecker("portrait", 60.0, memory_bytes=50_000_000)
    blank = tmp_path / "blank.jpg"
    blank.write_bytes(image_bytes())
    assert checker.problems([blank] * 3) == [None] * 3
    checker.close()


def test_a_check_that_hangs_is_killed(tmp_path: Path) -> None:
    checker = FaceChecker("portrait", 0.001)  # nothing is loaded by then
    blank = tmp_path / "blank.jpg"
    blank.write_bytes(image_bytes())
    started = time.monotonic()
    assert checker.problems([blank] * 50) == [None] * 50
    assert checker._child is None
    assert time.monotonic() - started < 30


def test_who_has_a_check_says_that_a_face_is_needed() -> None:
    assert all(get_engine(name).capabilities().needs_face for name in PORTRAIT_CHECKS)


def test_the_engine_s_own_check_decides(tmp_path: Path) -> None:
    path = tmp_path / "small.jpg"
    path.write_bytes(small())
    with pytest.raises(EngineError) as refused:
        PortraitCheck().check(path)
    assert refused.value.code == "face_too_narrow"
    assert PortraitCheck().check(PORTRAIT) == ()


def test_an_unusable_replacement_changes_nothing(user: User, client_of_user: APIClient) -> None:
    made = submit(client_of_user, form([file("a.jpg", PORTRAIT.read_bytes())])).json()
    item = VideoItem.objects.get(batch_id=made["batch_id"])
    client_of_user.post(f"/api/video/batches/{made['batch_id']}/cancel")
    user.refresh_from_db()
    before = user.credits
    answer = client_of_user.post(
        f"/api/video/batches/{made['batch_id']}/items/{item.pk}/replace",
        {"image": file("b.jpg", image_bytes())},
        format="multipart",
    )
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"]["images"][0]["code"] == "no_face"
    user.refresh_from_db()
    assert user.credits == before
