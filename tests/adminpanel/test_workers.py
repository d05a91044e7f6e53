"""What administrators are told of workers and their engines."""

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from tests.support.rows import make_worker

pytestmark = pytest.mark.django_db

REFUSED = {"ready": False, "code": "credential_rejected", "params": {}, "capabilities": {"label": "Cloud"}}
READY = {"ready": True, "capabilities": {"label": "Portrait"}}


def test_all_engines_are_told_and_those_of_each_worker(
    client_of_admin: APIClient, settings: LazySettings
) -> None:
    settings.GENERATION_ENGINE, settings.GENERATION_ENGINES = "portrait", ["cloud", "nowhere"]
    make_worker(name="one", engines={"portrait": READY, "cloud": REFUSED})
    make_worker(name="two", state="paused", trouble="disk_full", engines={"portrait": READY})
    body = client_of_admin.get("/api/admin/workers", HTTP_ACCEPT_LANGUAGE="en").json()
    told = {engine["engine"]: engine for engine in body["engines"]}
    assert list(told) == ["portrait", "cloud", "nowhere"]
    assert (told["portrait"]["ready"], told["portrait"]["detail"]) == (True, "")
    assert (told["cloud"]["label"], told["cloud"]["ready"]) == ("Cloud", False)
    assert "credential" in told["cloud"]["detail"]
    assert told["nowhere"]["detail"] == "No worker works with this engine now. Videos wait until one does."
    by_worker = {worker["name"]: worker["engine_states"] for worker in body["workers"]}
    assert [(state["engine"], state["ready"]) for state in by_worker["one"]] == [
        ("cloud", False),
        ("portrait", True),
    ]
    assert [(state["engine"], state["ready"]) for state in by_worker["two"]] == [("portrait", False)]
    assert "disk is full" in by_worker["two"][0]["detail"]
