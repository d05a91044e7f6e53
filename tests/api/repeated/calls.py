"""What a call that is made again is: ready to be made, with rows of its own, and its one effect."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.db import OperationalError
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.support.rows import PASSWORD, UserClient, claim, client_for, make_item
from videos.models import Batch, ItemStatus, Upload, VideoItem
from videos.services import attempts, uploads
from videos.services.attempts import Verdict
from zhiying.kernel.errors import DomainError

AWAY = 503
NEW_PASSWORD = "Another-Horse-8"
FINAL = Verdict("no_face")


@dataclass
class Call:
    """A call that is ready to be made, with rows of its own."""

    make: Callable[[], Any]
    """Makes it; the answer."""
    effect: Callable[[], object]
    """Asserts that it has happened, once."""
    status: int = 200
    done: Collection[int] = ()
    """What may be answered beside that when it has happened before."""


CALLS: list[Callable[[], Call]] = []


def call(prepare: Callable[[], Call]) -> Callable[[], Call]:
    CALLS.append(prepare)
    return prepare


def client_of(user: User) -> UserClient:
    client = client_for(user)
    client.raise_request_exception = False
    return client


def anonymous() -> APIClient:
    client = APIClient()
    client.raise_request_exception = False
    return client


def log_in(user: User, password: str = PASSWORD, otp: str = "") -> Any:
    body = {"username": user.username, "password": password, "otp": otp}
    return anonymous().post("/api/auth/login", body, format="json")


def service(act: Callable[[], object]) -> Callable[[], Any]:
    """A call of a command or of the administration site, which has no status: told in those of the API."""

    def make() -> Any:
        try:
            act()
        except OperationalError:
            return SimpleNamespace(status_code=AWAY)
        except DomainError as error:
            return SimpleNamespace(status_code=error.status)
        return SimpleNamespace(status_code=200)

    return make


def has_credits(user: User, amount: int) -> None:
    user.refresh_from_db(fields=["credits"])
    assert user.credits == amount


def have_credits(users: list[User], amount: int) -> Callable[[], None]:
    def effect() -> None:
        for user in users:
            has_credits(user, amount)

    return effect


def forget_uploads() -> None:
    """As if a day had passed."""
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    uploads.delete_abandoned()


def failed_item(user: User) -> VideoItem:
    item = make_item(user)
    while VideoItem.objects.get(pk=item.pk).status != ItemStatus.FAILED:
        attempts.fail(claim(), FINAL)
    return item


def item_path(item: VideoItem, act: str = "") -> str:
    return f"/api/video/batches/{item.batch_id}/items/{item.pk}{act}"


def batch_path(batch: Batch, act: str = "") -> str:
    return f"/api/video/batches/{batch.pk}{act}"
