"""What the API says of the engine, as living workers tell it."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from tests.support.rows import make_worker
from videos.models import EngineRule, Worker
from videos.worker.registry import registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of_user: APIClient) -> APIClient:
    return client_of_user


def test_limits_and_readiness_of_the_engine_are_told(client: APIClient, settings: LazySettings) -> None:
    registration.beat()
    body = client.get("/api/engine/status").json()
    assert (body["engine"], body["ready"], body["detail"]) == ("portrait", True, "")
    assert body["capabilities"]["fps"] == 25
    assert body["limits"]["max_images"] == settings.BATCH_MAX_IMAGES
    assert body["queue"] == {"pending": 0, "processing": 0}
    assert client.get("/api/token/status").json() == {"valid": True}


def test_without_a_living_worker_nothing_is_ready(client: APIClient) -> None:
    assert client.get("/api/engine/status").json()["ready"] is False
    registration.beat()
    Worker.objects.update(seen_at=timezone.now() - timedelta(seconds=60))
    answer = client.get("/api/token/status").json()
    assert answer["valid"] is False
    assert "deploy/worker" in answer["error"]


def test_a_worker_that_takes_no_items_says_why(client: APIClient) -> None:
    registration.beat()
    Worker.objects.update(state="paused", trouble="store_away")
    body = client.get("/api/engine/status", HTTP_ACCEPT_LANGUAGE="en").json()
    assert body["ready"] is False
    assert body["detail"] == "The media store does not answer. Videos wait until it does."


def test_an_engine_that_is_not_installed_here_breaks_no_answer(
    client: APIClient, settings: LazySettings
) -> None:
    settings.GENERATION_ENGINE = "elsewhere"
    assert client.get("/api/engine/status").json()["ready"] is False
    assert client.get("/api/token/status").json()["valid"] is False


def declared(settings: LazySettings, **engines: dict[str, object]) -> None:
    """A living worker that has these engines, of which the first is the installation's own."""
    settings.GENERATION_ENGINE, *settings.GENERATION_ENGINES = engines
    facts = {
        name: {"ready": True, "capabilities": {"label": name.title(), **capabilities}}
        for name, capabilities in engines.items()
    }
    make_worker(engines=facts)


def test_limits_are_the_widest_to_which_the_rules_may_lead(client: APIClient, settings: LazySettings) -> None:
    """A client that stops at the own engine's would keep back what a rule sends to another one."""
    declared(
        settings,
        own={"max_audio_s": 20, "min_side_px": 400, "understands_prompt": False},
        far={"max_audio_s": 90, "min_side_px": 256},
        offered={"max_audio_s": 200},
    )
    told = client.get("/api/engine/status").json()
    assert (told["limits"]["audio_max_s"], told["limits"]["image_min_side"]) == (20, 400)
    EngineRule.objects.create(engine="far", min_audio_s=20)
    EngineRule.objects.create(engine="offered", offered=True)
    EngineRule.objects.create(engine="gone")
    told = client.get("/api/engine/status").json()
    assert (told["limits"]["audio_max_s"], told["limits"]["image_min_side"]) == (90, 256)
    assert told["limits"]["understands_prompt"] is True
    own, offered = told["engines"]
    assert (own["engine"], own["is_default"], own["limits"]["audio_max_s"]) == ("own", True, 20)
    assert own["limits"]["understands_prompt"] is False
    assert (offered["engine"], offered["is_default"], offered["limits"]["audio_max_s"]) == (
        "offered",
        False,
        200,
    )
