"""Credentials of engines, as administrators set them and are told of them."""

from typing import Any

from tests.support.rows import UserClient

TOKEN = "/api/admin/token"
SECRET = "sk-first-0123456789abcdef"
SECOND = "sk-second-fedcba9876543210"
CLOUD = "lightx2v-cloud"


def change(client: UserClient, new: str = SECRET, **fields: str) -> Any:
    return client.patch(TOKEN, {"new_token": new, **fields}, format="json", HTTP_ACCEPT_LANGUAGE="en")


def told(client: UserClient, engine: str = CLOUD) -> Any:
    body = client.get(TOKEN).json()
    return next(one for one in body["credentials"] if one["engine"] == engine)
