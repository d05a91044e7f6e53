"""With FACE_CHECK, portraits that the engine would refuse are named before a credit moves."""

import io
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import LazySettings
from PIL import Image
from rest_framework.test import APIClient

from accounts.models import User
from engines.base import EngineError
from engines.portrait.check import PortraitCheck
from engines.registry import ANY_FACE, PORTRAIT_CHECKS, get_engine
from tests.api.forms import file, form, submit
from tests.support.books import assert_books_balance
from tests.support.media import MEDIA, PORTRAIT, image_bytes
from tests.support.no_threads import no_more_threads
from tests.support.rows import make_worker
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
    faces._checker(60.0).close()
    faces._checker.cache_clear()


def small(side: int = 220) -> bytes:
    stream = io.BytesIO()
    Image.open(PORTRAIT).resize((side, side)).save(stream, "JPEG")
    return stream.getvalue()


def use_engine(settings: LazySettings, name: str, *, needs_face: bool) -> None:
    """An engine that is not ours, as the worker that has it declares it."""
    settings.GENERATION_ENGINE = name
    capabilities = {**asdict(get_engine("portrait").capabilities()), "needs_face": needs_face}
    ready = {"ready": True, "code": "", "params": {}, "detail": "", "capabilities": capabilities}
    make_worker(engines={name: ready})


def codes(answer: Any) -> dict[int, str]:
    """What each portrait of a refused batch has against it, by its place."""
    assert answer.status_code == 400, answer.content
    return {one["index"]: one["code"] for one in answer.json()["errors"]["images"]}


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


def test_an_engine_of_others_that_needs_a_face_is_asked_less_of(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    pictures = [PORTRAIT.read_bytes(), image_bytes(), small(), small(260)]
    use_engine(settings, "portrait", needs_face=True)
    ours = codes(submit(client_of_user, form([file(f"{n}.jpg", one) for n, one in enumerate(pictures)])))
    assert ours == {1: "no_face", 2: "face_too_narrow", 3: "face_too_narrow"}
    use_engine(settings, "dashscope", needs_face=True)
    answer = submit(client_of_user, form([file(f"{n}.jpg", one) for n, one in enumerate(pictures)]))
    assert codes(answer) == {1: "no_face", 2: "face_too_narrow"}
    assert "48" in answer.json()["errors"]["images"][1]["detail"]
    assert not Batch.objects.exists()
    assert_books_balance()


def test_an_engine_that_needs_no_face_gets_what_there_is(
    client_of_user: APIClient, settings: LazySettings
) -> None:
    use_engine(settings, "comfyui", needs_face=False)
    assert submit(client_of_user).status_code == 201


def test_one_child_looks_for_all_engines(tmp_path: Path) -> None:
    path = tmp_path / "small.jpg"
    path.write_bytes(small(260))
    checker = FaceChecker(60.0)
    refused = checker.problems([path, PORTRAIT], "portrait")
    child = checker._child
    assert checker.problems([path, PORTRAIT], ANY_FACE) == [None, None]
    assert checker._child is child
    assert [problem and problem.code for problem in refused] == ["face_too_narrow", None]
    checker.close()


def test_without_the_setting_nobody_looks(client_of_user: APIClient, settings: LazySettings) -> None:
    settings.FACE_CHECK = False
    assert submit(client_of_user).status_code == 201


def test_a_check_that_cannot_run_refuses_nothing(tmp_path: Path) -> None:
    checker = FaceChecker(60.0, memory_bytes=50_000_000)
    blank = tmp_path / "blank.jpg"
    blank.write_bytes(image_bytes())
    assert checker.problems([blank] * 3, "portrait") == [None] * 3
    checker.close()


def test_a_check_that_nobody_would_hear_is_ended(tmp_path: Path) -> None:
    checker = FaceChecker(60.0)
    blank = tmp_path / "blank.jpg"
    blank.write_bytes(image_bytes())
    before = psutil.Process().children()
    with no_more_threads():
        assert checker.problems([blank], "portrait") == [None]
    assert psutil.Process().children() == before


def test_a_check_that_hangs_is_killed(tmp_path: Path) -> None:
    checker = FaceChecker(0.001)  # nothing is loaded by then
    blank = tmp_path / "blank.jpg"
    blank.write_bytes(image_bytes())
    started = time.monotonic()
    assert checker.problems([blank] * 50, "portrait") == [None] * 50
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
