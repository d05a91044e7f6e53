"""Requests that bring or decode files leave threads, and cores, to the others."""

import threading
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.forms import CREATE, submit
from tests.api.stores import announce, put, use_disk
from tests.support.finished import finish
from tests.support.media import image_bytes
from tests.support.rows import make_batch
from videos.models import Batch
from videos.services import intake
from zhiying.kernel.api import slots

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_slot(monkeypatch: pytest.MonkeyPatch) -> threading.BoundedSemaphore:
    """One place for slow requests, which is taken."""
    taken = threading.BoundedSemaphore(1)
    taken.acquire()
    monkeypatch.setattr(slots, "_slots", taken)
    return taken


def assert_busy(answer: Any) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer.headers["Retry-After"]) > 0


def test_without_a_place_files_are_refused_and_polls_are_answered(
    client_of_user: APIClient, no_slot: threading.BoundedSemaphore, settings: LazySettings, tmp_path: Any
) -> None:
    use_disk(settings, tmp_path)
    (upload,) = announce(client_of_user, ("a.jpg", image_bytes()))
    assert_busy(submit(client_of_user))
    assert put(upload["url"], image_bytes(), upload["headers"]) == 503
    for path in ("/api/user/profile", "/api/video/batches", f"/api/video/uploads/{upload['key']}"):
        assert client_of_user.get(path).status_code == 200
    no_slot.release()
    assert put(upload["url"], image_bytes(), upload["headers"]) == 200
    assert submit(client_of_user).status_code == 201
    assert submit(client_of_user).status_code == 201  # the place is given back


def test_an_archive_keeps_its_place_until_it_has_been_sent(
    client_of_user: APIClient, user: User, no_slot: threading.BoundedSemaphore
) -> None:
    batch = make_batch(user, 1)
    finish(b"film")
    export = client_of_user.get(f"/api/video/batches/{batch.pk}/export").json()
    path = export["zip_url"].removeprefix("http://testserver")
    assert_busy(client_of_user.get(path))
    no_slot.release()
    answer: Any = client_of_user.get(path)
    chunks = iter(answer.streaming_content)
    assert next(chunks)
    assert_busy(client_of_user.get(path))
    assert client_of_user.get("/api/user/profile").status_code == 200
    assert b"film" in b"".join(chunks)
    assert submit(client_of_user).status_code == 201
    assert client_of_user.get(f"{path}?items=x").status_code == 400
    assert submit(client_of_user).status_code == 201


@pytest.mark.usefixtures("no_slot")
def test_a_place_is_asked_for_before_the_body_is_read(client_of_user: APIClient) -> None:
    assert_busy(client_of_user.post(CREATE, b"{", content_type="application/json"))


def test_a_batch_waits_so_long_for_its_turn_to_be_decoded(
    client_of_user: APIClient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = threading.BoundedSemaphore(1)
    monkeypatch.setattr(intake, "_turns", turns)
    settings.INTAKE_WAIT_S = 0.01
    with turns:
        assert_busy(submit(client_of_user, HTTP_IDEMPOTENCY_KEY="k"))
        assert not Batch.objects.exists()
    assert submit(client_of_user, HTTP_IDEMPOTENCY_KEY="k").status_code == 201
    assert submit(client_of_user).status_code == 201
