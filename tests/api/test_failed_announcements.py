"""Announcements of uploads that fail: nobody is told their keys, so they hold no room and leave nothing."""

import itertools
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import EndpointConnectionError
from django.conf import LazySettings
from django.db import OperationalError
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.stores import (
    SMALL_PART,
    UPLOADS,
    announce,
    raw_files,
    store,  # noqa: F401 - a fixture
    unfinished_in,
)
from tests.servers import S3Server
from tests.support.losses import each_loss, gone_after
from videos.models import DeletionReason, FileDeletion, Upload
from videos.services.uploads import BEGINNING, Announced, delete_abandoned, uploads_begin
from videos.store.direct_uploads import upload_store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


def fail_after(monkeypatch: pytest.MonkeyPatch, begun: int) -> None:
    """The store begins so many uploads, and then no more; nobody knows of the last one that it did."""
    kind, calls = type(upload_store()), itertools.count(1)
    begin = kind.begin

    def fail(self: Any, upload: Upload) -> str:
        answer = begin(self, upload)
        if next(calls) > begun:
            raise EndpointConnectionError(endpoint_url="http://store")
        return answer

    monkeypatch.setattr(kind, "begin", fail)


def test_what_the_store_cannot_begin_holds_no_room_and_leaves_nothing(
    client_of_user: APIClient,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    s3_server: S3Server,
    store: str,  # noqa: F811
) -> None:
    settings.UPLOAD_MAX_OPEN_FILES, settings.UPLOAD_PART_BYTES = 3, SMALL_PART
    files = [("a.jpg", bytes(SMALL_PART + 1)), ("b.jpg", bytes(SMALL_PART + 1)), ("c.jpg", b"12345")]
    body = [{"name": name, "size": len(data), "content_type": "image/jpeg"} for name, data in files]
    with monkeypatch.context() as patch:
        fail_after(patch, 1)
        assert client_of_user.post(UPLOADS, {"files": body}, format="json").status_code == 503
    assert not Upload.objects.exists()
    assert raw_files() == []
    assert FileDeletion.objects.filter(reason=DeletionReason.UPLOAD).count() == 3
    if store == "s3":
        assert not unfinished_in(s3_server)
    assert len(announce(client_of_user, *files)) == 3


def test_what_a_store_that_is_away_has_begun_holds_no_room_and_goes_with_the_next_cleaning(
    client_of_user: APIClient,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    s3_server: S3Server,
    store: str,  # noqa: F811
) -> None:
    settings.UPLOAD_MAX_OPEN_FILES, settings.UPLOAD_PART_BYTES = 1, SMALL_PART
    body = {"files": [{"name": "a.jpg", "size": SMALL_PART + 1, "content_type": "image/jpeg"}]}
    with monkeypatch.context() as patch:
        fail_after(patch, 0)
        away = mock.Mock(side_effect=EndpointConnectionError(endpoint_url="http://store"))
        patch.setattr(type(upload_store()), "discard", away)
        assert client_of_user.post(UPLOADS, body, format="json").status_code == 503
    assert client_of_user.post(UPLOADS, body, format="json").status_code == 201
    assert delete_abandoned() == 1
    kept = str(Upload.objects.get().pk)
    assert set(raw_files()) <= {kept}
    if store == "s3":
        assert unfinished_in(s3_server) == [kept]


def test_an_announcement_whose_answer_is_lost_holds_room_for_minutes_at_most(user: User) -> None:
    def let_time_pass() -> None:
        Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        delete_abandoned()

    file, losses = Announced("a.jpg", 5, "image/jpeg"), 0
    for _loss in each_loss(lambda: uploads_begin(user=user, files=[file]), let_time_pass):
        losses += 1
        assert not Upload.objects.filter(expires_at__gt=timezone.now() + BEGINNING).exists()
        let_time_pass()
        assert raw_files() == []
    assert losses >= 4


def test_nor_does_one_that_the_database_goes_away_from(user: User) -> None:
    with gone_after('INSERT INTO "uploads"'), pytest.raises(OperationalError):
        uploads_begin(user=user, files=[Announced("a.jpg", 5, "image/jpeg")])
    assert Upload.objects.get().expires_at < timezone.now() + BEGINNING
