"""Files go when their time is over, rows stay, and everybody was told."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User, UserGroup
from accounts.models.group import MAX_RETENTION_DAYS
from tests.api.forms import file
from tests.store.keeping import finish, needed_keys, stored_keys, work_all_off
from tests.support.books import assert_all_is_settled
from tests.support.media import image_bytes
from tests.support.rows import claim, make_batch, make_item, make_user
from videos.models import Batch, StoredBytes
from videos.scheduling.sweep import clean
from videos.services import attempts, retention
from videos.services.attempts import Verdict

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/video/batches"


def grow_old(days: float) -> None:
    """All batches, and what was announced of them, are so many days older."""
    for batch in Batch.objects.all():
        span = timedelta(days=days)
        expires_at = batch.expires_at - span if batch.expires_at else None
        Batch.objects.filter(pk=batch.pk).update(created_at=batch.created_at - span, expires_at=expires_at)


def days_left(body: Any) -> float:
    moment = datetime.fromisoformat(body["expires_at"])
    return float((moment - timezone.now()).total_seconds() / 86400)


def test_files_are_kept_for_ever_unless_somebody_says_otherwise(
    user: User, client_of_user: APIClient, tmp_path: Path
) -> None:
    batch = make_batch(user)
    finish(tmp_path)
    grow_old(10_000)
    clean()
    body = client_of_user.get(f"{LIST}/{batch.pk}").json()
    assert (body["expires_at"], body["files_removed"]) == (None, False)


@pytest.mark.parametrize("kind", ["store_disk", "store_s3"])
def test_files_go_after_their_days_and_rows_stay(
    user: User,
    client_of_user: APIClient,
    settings: LazySettings,
    tmp_path: Path,
    kind: str,
    request: pytest.FixtureRequest,
) -> None:
    if kind == "store_s3":
        from tests.api.stores import use_s3

        use_s3(settings, request.getfixturevalue("s3_server"))
    settings.RETENTION_DAYS = 30
    batch = make_batch(user)
    finish(tmp_path)
    path = f"{LIST}/{batch.pk}"
    first = client_of_user.get(path)
    assert 29 < days_left(first.json()) <= 30
    grow_old(29)
    clean()
    work_all_off()
    assert needed_keys() <= stored_keys()
    grow_old(1.1)
    clean()
    work_all_off()
    assert stored_keys() == set()
    answer = client_of_user.get(path)
    assert answer.headers["ETag"] != first.headers["ETag"]
    body = answer.json()
    item = body["items"][0]
    assert (body["files_removed"], item["files_removed"], item["status"]) == (True, True, "completed")
    links = ("videoUrl", "video_url", "sourceImage", "source_image_url", "thumbnail_url", "poster_url")
    assert {item[name] for name in links} | {body["audio_url"]} == {""}
    assert client_of_user.get(f"{path}/items/{item['id']}/result_url").json()["code"] == "files_removed"
    exported = client_of_user.get(f"{path}/export").json()
    assert exported["files"] == []
    assert client_of_user.get(exported["zip_url"].removeprefix("http://testserver")).status_code == 410
    assert StoredBytes.objects.get(user=user).bytes == 0
    assert_all_is_settled()


def test_what_has_no_files_is_not_retried(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.RETENTION_DAYS = 1
    item = make_item(user)
    attempts.fail(claim(), Verdict("no_face"))
    grow_old(2)
    clean()
    path = f"{LIST}/{item.batch_id}"
    image = {"image": file("new.jpg", image_bytes())}
    for answer in (
        client_of_user.post(f"{path}/items/{item.pk}/resume"),
        client_of_user.post(f"{path}/retry_failed"),
        client_of_user.post(f"{path}/items/{item.pk}/replace", image, format="multipart"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "files_removed")
    work_all_off()
    assert stored_keys() == set(), "the refused image stayed"
    assert_all_is_settled()


def test_a_retry_begins_the_period_again(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.RETENTION_DAYS = 10
    item = make_item(user)
    attempts.fail(claim(), Verdict("no_face"))
    grow_old(9)
    assert client_of_user.post(f"{LIST}/{item.batch_id}/items/{item.pk}/resume").status_code == 200
    assert 9 < days_left(client_of_user.get(f"{LIST}/{item.batch_id}").json()) <= 10


def test_what_waits_or_is_rendered_keeps_its_files(user: User, settings: LazySettings) -> None:
    settings.RETENTION_DAYS = 1
    make_batch(user, 2)
    claim()
    grow_old(5)
    clean()
    assert not Batch.objects.exclude(files_removed_at=None).exists()


def test_a_group_may_keep_files_longer_shorter_or_for_ever(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.RETENTION_DAYS = 10
    for days, expected in ((3, 3.0), (20, 20.0), (None, 10.0), (0, None)):
        user.group = UserGroup.objects.create(name=str(days), retention_days=days)
        user.save()
        made = make_batch(user)
        body = client_of_user.get(f"{LIST}/{made.pk}").json()
        assert (body["expires_at"] and round(days_left(body), 1)) == expected


def test_a_group_that_keeps_files_longer_than_there_are_days_is_kept_to_the_bound(
    user: User, client_of_user: APIClient, settings: LazySettings, tmp_path: Path
) -> None:
    """It was made before there was a bound. Nothing of it may fail, and nothing of others."""
    settings.RETENTION_DAYS = 10
    other = make_batch(make_user())
    finish(tmp_path)
    grow_old(11)
    before = make_batch(user)
    user.group = UserGroup.objects.create(name="for ever", retention_days=2_000_000_000)
    user.save()
    Batch.objects.filter(pk=before.pk).update(expires_at=None)
    clean()
    other.refresh_from_db()
    assert other.files_removed
    for batch in (before, make_batch(user)):
        body = client_of_user.get(f"{LIST}/{batch.pk}").json()
        assert round(days_left(body)) == MAX_RETENTION_DAYS


def test_batches_from_before_a_rule_are_announced_a_week_ahead(
    user: User, client_of_user: APIClient, settings: LazySettings, tmp_path: Path
) -> None:
    old = make_batch(user)
    finish(tmp_path)
    grow_old(400)
    before = client_of_user.get(f"{LIST}/{old.pk}").headers["ETag"]
    settings.RETENTION_DAYS = 30
    clean()
    answer = client_of_user.get(f"{LIST}/{old.pk}")
    assert 6.9 < days_left(answer.json()) <= 7
    assert answer.headers["ETag"] != before
    assert not answer.json()["files_removed"]
    Batch.objects.update(expires_at=timezone.now())
    clean()
    assert client_of_user.get(f"{LIST}/{old.pk}").json()["files_removed"]


def test_a_rule_that_became_kinder_is_kept(user: User, settings: LazySettings, tmp_path: Path) -> None:
    settings.RETENTION_DAYS = 5
    batch = make_batch(user)
    finish(tmp_path)
    grow_old(6)
    settings.RETENTION_DAYS = 20
    clean()
    batch.refresh_from_db()
    assert not batch.files_removed
    assert batch.expires_at
    assert batch.expires_at > timezone.now() + timedelta(days=13)
    settings.RETENTION_DAYS = 0
    Batch.objects.update(expires_at=timezone.now())
    clean()
    batch.refresh_from_db()
    assert not batch.files_removed
    assert batch.expires_at is None


def test_steps_are_bounded(user: User, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EXPIRED_AT_ONCE", 2)
    settings.RETENTION_DAYS = 1
    for _ in range(5):
        make_item(user)
        attempts.fail(claim(), Verdict("no_face"))
    grow_old(3)
    assert retention.expire() == 2
    clean()
    assert not Batch.objects.filter(files_removed_at=None).exists()
