"""The schema as clients and readers get it."""

from typing import Any

import pytest
from django.test import Client

JSON = "application/json"


def schema(client: Client, **headers: str) -> Any:
    answer = client.get("/api/schema", headers=headers)
    assert answer.status_code == 200
    return answer


@pytest.mark.parametrize("accept", ["*/*", JSON, "application/json, */*", "application/vnd.oai.openapi+json"])
def test_it_is_json_for_programs(client: Client, accept: str) -> None:
    answer = schema(client, accept=accept)
    assert "json" in answer.headers["Content-Type"]
    assert answer.json()["openapi"].startswith("3.")


def test_it_is_yaml_for_whoever_asks(client: Client) -> None:
    assert schema(client, accept="application/vnd.oai.openapi").content.startswith(b"openapi:")
    assert client.get("/api/schema?format=yaml").content.startswith(b"openapi:")


def test_what_users_call_is_shown_before_what_administrators_do(client: Client) -> None:
    tags = [tag["name"] for tag in schema(client).json()["tags"]]
    used = {
        tag
        for calls in schema(client).json()["paths"].values()
        for call in calls.values()
        for tag in call["tags"]
    }
    assert tags[0] == "auth"
    assert tags[-1] == "admin"
    assert used == set(tags)


def test_every_call_has_a_summary(client: Client) -> None:
    body = schema(client).json()
    without = [
        f"{method} {path}"
        for path, calls in body["paths"].items()
        for method, call in calls.items()
        if not call.get("summary")
    ]
    assert not without
    assert body["servers"][0]["url"] == "/"
