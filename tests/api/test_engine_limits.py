"""What the engine does not take is named at intake, before a credit moves; a dry run says the same."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from engines.registry import get_engine
from tests.api.forms import CREATE, file, form, submit
from tests.support.media import image_bytes
from tests.support.rows import make_batch, make_worker
from videos.models import Batch, VideoItem, Worker

pytestmark = pytest.mark.django_db
Declare = Callable[..., None]


@pytest.fixture
def declare() -> Declare:
    """A worker whose engine declares what is given, beside what ours does."""
    capabilities = asdict(get_engine("portrait").capabilities())

    def as_engine(**declared: Any) -> None:
        Worker.objects.all().delete()
        told = {
            "ready": True,
            "code": "",
            "params": {},
            "detail": "",
            "capabilities": {**capabilities, **declared},
        }
        make_worker(engines={"portrait": told})

    return as_engine


def both(client: APIClient, make: Callable[[], dict[str, Any]]) -> tuple[Any, Any]:
    """What a dry run and the submission say."""
    paths = (f"{CREATE}?dry_run=true", CREATE)
    dry, real = (submit(client, make(), path, HTTP_ACCEPT_LANGUAGE="en") for path in paths)
    return dry, real


def refused(client: APIClient, make: Callable[[], dict[str, Any]]) -> Any:
    """The errors, which are the same for both and cost nothing."""
    dry, real = both(client, make)
    assert dry.status_code == real.status_code == 400, real.content
    assert dry.json() == real.json()
    assert not Batch.objects.exists()
    return real.json()["errors"]


@pytest.mark.parametrize(
    ("declared", "code", "words"),
    [
        ({"min_side_px": 161}, "image_too_small", "at least 161 pixels"),
        ({"max_side_px": 159}, "image_sides_engine", "at most 159 pixels a side"),
        ({"min_aspect": 1.5, "max_aspect": 2.0}, "image_aspect_engine", "1.50 to 2.00 times"),
        ({"min_aspect": 0.3, "max_aspect": 0.5}, "image_aspect_engine", "0.30 to 0.50 times"),
        ({"max_image_bytes": 300}, "image_bytes_engine", "0 MB that the engine takes"),
    ],
)
def test_a_portrait_that_the_engine_does_not_take(
    client_of_user: APIClient, declare: Declare, declared: dict[str, Any], code: str, words: str
) -> None:
    declare(**declared)
    (problem,) = refused(client_of_user, form)["images"]
    assert (problem["index"], problem["code"]) == (0, code)
    assert words in problem["detail"]


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        ({"min_audio_s": 2.0}, "audio_too_short"),
        ({"max_audio_s": 0.55}, "audio_too_long"),
        ({"max_audio_bytes": 17_644}, "audio_too_long"),
    ],
)
def test_a_recording_that_the_engine_does_not_take(
    client_of_user: APIClient, declare: Declare, declared: dict[str, Any], code: str
) -> None:
    declare(**declared)
    assert refused(client_of_user, form)["audio"]["code"] == code


def test_what_fits_passes_and_the_installation_s_own_limits_still_hold(
    client_of_user: APIClient, declare: Declare, settings: LazySettings
) -> None:
    declare(min_side_px=10, max_side_px=160, min_aspect=1.0, max_aspect=1.0, max_audio_s=9000)
    dry, real = both(client_of_user, form)
    assert (dry.status_code, real.status_code) == (200, 201)
    settings.AUDIO_MAX_S = 0.2
    answer = submit(client_of_user, form())
    assert answer.json()["errors"]["audio"]["code"] == "audio_too_long"


def test_a_large_picture_is_taken_as_it_is_stored(client_of_user: APIClient, declare: Declare) -> None:
    declare(max_side_px=2048)
    large = form([file("large.jpg", image_bytes(2600))])
    assert submit(client_of_user, large).status_code == 201


def test_stored_files_of_earlier_batches_are_held_against_it_too(
    user: User, client_of_user: APIClient, declare: Declare
) -> None:
    batch = make_batch(user)
    body = {"images": [f"item:{batch.items.get().pk}"], "audio": f"batch:{batch.pk}"}
    declare(max_side_px=100, max_audio_s=0.55)
    errors = client_of_user.post(CREATE, body, format="json").json()["errors"]
    assert (errors["images"][0]["code"], errors["audio"]["code"]) == ("image_sides_engine", "audio_too_long")


@pytest.mark.parametrize(("language", "words"), [("en", "follows no prompt"), ("zh-hans", "提示词")])
def test_a_prompt_that_is_not_followed_is_a_notice_and_no_error(
    client_of_user: APIClient, declare: Declare, language: str, words: str
) -> None:
    declare(understands_prompt=False)
    for path, status in ((f"{CREATE}?dry_run=true", 200), (CREATE, 201)):
        answer = submit(client_of_user, form(prompt="smile"), path, HTTP_ACCEPT_LANGUAGE=language)
        assert answer.status_code == status
        (notice,) = answer.json()["notices"]
        assert notice["code"] == "prompt_not_honoured"
        assert words in notice["detail"]
    assert submit(client_of_user, form()).json()["notices"] == []
    declare(understands_prompt=True)
    assert submit(client_of_user, form(prompt="smile")).json()["notices"] == []


@pytest.mark.usefixtures("noon")
def test_two_batches_use_up_the_day(user: User, client_of_user: APIClient, declare: Declare) -> None:
    declare(max_per_day=5)
    for _number in range(2):
        assert submit(client_of_user, form(2)).status_code == 201
    dry, real = both(client_of_user, lambda: form(2))
    assert dry.json() == real.json()
    problem = real.json()["errors"]["image_count"]
    assert (problem["code"], problem["left"]) == ("engine_day_used_up", 1)
    tomorrow = timezone.localtime() + timedelta(days=1)
    assert f"room again from {tomorrow:%Y-%m-%d} 00:00" in problem["detail"]
    assert submit(client_of_user, form(1)).status_code == 201
    # A video that was cancelled before it began has used nothing; one of another day neither.
    last = VideoItem.objects.order_by("-queued_at")[0]
    client_of_user.post(f"/api/video/batches/{last.batch_id}/items/{last.pk}/cancel")
    assert submit(client_of_user, form(1), f"{CREATE}?dry_run=true").status_code == 200
    VideoItem.objects.update(queued_at=timezone.now() - timedelta(days=1), status="failed", error_code="x")
    assert submit(client_of_user, form(5)).status_code == 201


@pytest.mark.usefixtures("noon")
def test_what_still_waits_from_yesterday_uses_today(
    user: User, client_of_user: APIClient, declare: Declare
) -> None:
    declare(max_per_day=2)
    make_batch(user, 2)
    VideoItem.objects.update(queued_at=timezone.now() - timedelta(days=1))
    assert submit(client_of_user).json()["errors"]["image_count"]["left"] == 0


def test_the_day_is_counted_up_to_its_limit(user: User, client_of_user: APIClient, declare: Declare) -> None:
    declare(max_per_day=2)
    make_batch(user, 6)
    with CaptureQueriesContext(connection) as queries:
        submit(client_of_user, form(1), f"{CREATE}?dry_run=true")
    counts = [one["sql"] for one in queries if "COUNT(*)" in one["sql"] and "video_items" in one["sql"]]
    assert len(counts) == 2
    assert all("LIMIT 2" in sql for sql in counts)


def test_clients_are_told_the_narrower_limits(client_of_user: APIClient, declare: Declare) -> None:
    declare(max_audio_s=20.0, min_audio_s=1.0, min_side_px=400)
    limits = client_of_user.get("/api/engine/status").json()["limits"]
    assert (limits["audio_min_s"], limits["audio_max_s"], limits["image_min_side"]) == (1.0, 20.0, 400)


def test_without_a_worker_the_installation_s_limits_hold_alone(client_of_user: APIClient) -> None:
    assert submit(client_of_user).status_code == 201
