"""How much a user has stored is known exactly, and limited."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db.models import Sum
from rest_framework.test import APIClient

from accounts.models import User, UserGroup
from tests.api.forms import CREATE, file, form, submit
from tests.store.keeping import finish, stored_keys, work_all_off
from tests.support.books import assert_all_is_settled
from tests.support.media import image_bytes
from tests.support.parallel import all_at_once, times
from tests.support.rows import claim, client_for, make_batch, make_item, make_user
from videos.models import Batch, StoredBytes
from videos.services import attempts, batches, stored_bytes
from videos.services.attempts import Verdict
from videos.store.files import stored_files

pytestmark = pytest.mark.django_db(transaction=True)

STORAGE = "/api/video/storage"


def assert_bytes_are_right() -> None:
    """The counters say what the store has, once the list is worked off."""
    work_all_off()
    stored = sum(stored.size for stored in stored_files("batches/"))
    assert Batch.objects.aggregate(n=Sum("stored_bytes"))["n"] in (stored, None if stored == 0 else stored)
    for user in User.objects.all():
        mine = Batch.objects.filter(user=user).aggregate(n=Sum("stored_bytes"))["n"] or 0
        assert stored_bytes.used_by(user.pk) == mine


def test_the_counters_follow_everything(user: User, client_of_user: APIClient, tmp_path: Path) -> None:
    item = make_item(user)
    make_batch(user, 3)
    assert_bytes_are_right()
    attempts.fail(claim(), Verdict("no_face"))
    image = {"image": file("new.jpg", image_bytes(300))}
    path = f"/api/video/batches/{item.batch_id}/items/{item.pk}/replace"
    assert client_of_user.post(path, image, format="multipart").status_code == 200
    assert_bytes_are_right()
    for number in range(3):
        finish(tmp_path, b"video" * (number + 1))
    assert_bytes_are_right()
    assert client_of_user.get(STORAGE).json() == {
        "used_bytes": StoredBytes.objects.get(user=user).bytes,
        "quota_bytes": None,
        "retention_days": None,
    }
    for batch in Batch.objects.all():
        batches.batch_delete(batch=batch, acting_user=user)
    assert_bytes_are_right()
    assert StoredBytes.objects.get(user=user).bytes == 0
    assert stored_keys() == set()


@pytest.mark.postgresql
def test_the_counters_are_right_under_parallel_changes() -> None:
    user = make_user()
    all_at_once(times(4, lambda: make_batch(user, 2)))
    made = list(Batch.objects.all())
    jobs = [lambda batch=batch: batches.batch_delete(batch=batch, acting_user=user) for batch in made[:2] * 2]
    all_at_once([*jobs, *times(2, lambda: make_batch(user))])
    assert_bytes_are_right()
    assert_all_is_settled()


def test_whoever_has_no_room_is_refused_before_anything_is_stored(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.QUOTA_MB = 1
    StoredBytes.objects.create(user=user, bytes=999_999)
    answer = submit(client_of_user, form(2))
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_exceeded")
    assert (answer.json()["used_bytes"], answer.json()["limit_bytes"]) == (999_999, 1_000_000)
    assert stored_keys() == set()
    assert not Batch.objects.exists()
    assert user.credits == 100
    StoredBytes.objects.update(bytes=1_000_000)
    dry = submit(client_of_user, form(2), f"{CREATE}?dry_run=true")
    assert (dry.status_code, dry.json()["code"]) == (413, "quota_exceeded")
    StoredBytes.objects.update(bytes=0)
    assert submit(client_of_user, form(2)).status_code == 201


def test_a_group_has_a_quota_of_its_own(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.QUOTA_MB = 1
    StoredBytes.objects.create(user=user, bytes=5_000_000)
    assert submit(client_of_user, form(1)).status_code == 413
    for quota, status in ((10, 201), (3, 413), (0, 201), (None, 413)):
        user.group = UserGroup.objects.create(name=str(quota), quota_mb=quota)
        user.save()
        assert submit(client_of_user, form(1)).status_code == status, quota


@pytest.mark.postgresql
def test_parallel_submissions_do_not_pass_the_limit_together(settings: LazySettings) -> None:
    user = make_user()
    make_batch(user)
    size = StoredBytes.objects.get(user=user).bytes
    settings.QUOTA_MB = 1
    StoredBytes.objects.update(bytes=1_000_000 - 2 * size - 1)
    before = Batch.objects.count()
    results = all_at_once(times(6, lambda: make_batch(user)))
    refused = [result for result in results if isinstance(result, stored_bytes.QuotaExceededError)]
    assert (Batch.objects.count() - before, len(refused)) == (2, 4), results
    assert stored_bytes.used_by(user.pk) <= 1_000_000
    assert_all_is_settled()


def test_administrators_see_who_has_most(client_of_admin: APIClient) -> None:
    for number in range(3):
        StoredBytes.objects.create(user=make_user(f"somebody{number}"), bytes=number * 1000)
    body = client_of_admin.get("/api/admin/storage").json()
    assert [row["used_bytes"] for row in body["users"]] == [2000, 1000, 0]
    assert body["used_bytes"] == 3000
    assert client_for(make_user()).get("/api/admin/storage").status_code == 403
