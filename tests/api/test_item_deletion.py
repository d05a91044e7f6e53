"""One video of a batch, deleted: what goes, what stays counted, and who wins."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection
from rest_framework.test import APIClient

from accounts.models import AuditEntry, CreditEntry, User
from tests.api.stores import store  # noqa: F401 - a fixture
from tests.store.keeping import assert_store_and_rows_agree, finish, stored_keys
from tests.support.books import assert_books_balance, assert_counts_are_true
from tests.support.parallel import all_at_once
from tests.support.rows import claim, client_for, make_batch, make_user
from videos.models import Batch, FileDeletion, ItemStatus, StoredBytes, VideoItem
from videos.services import attempts, transitions
from videos.services.attempts import Verdict
from videos.store.files import stored_files

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]

FINAL = Verdict("no_face", "No face was found.")


def path_of(item: VideoItem) -> str:
    return f"/api/video/batches/{item.batch_id}/items/{item.pk}"


def batch_body(client: APIClient, batch: Batch) -> dict[str, Any]:
    body: dict[str, Any] = client.get(f"/api/video/batches/{batch.pk}").json()
    return body


def test_a_finished_video_goes_with_its_files_and_stays_paid(
    user: User, client_of_user: APIClient, tmp_path: Path
) -> None:
    batch = make_batch(user, 3)
    done = finish(tmp_path, b"a video of some bytes")
    attempts.fail(claim(), FINAL)
    before = client_of_user.get(f"/api/video/batches/{batch.pk}")
    assert client_of_user.delete(path_of(done)).json() == {"success": True}

    body = batch_body(client_of_user, batch)
    assert (body["imageCount"], body["progress"]["completed"], body["progress"]["failed"]) == (2, 0, 1)
    assert body["creditsUsed"] == 2, "the deleted video and the one that waits"
    assert str(done.pk) not in {item["id"] for item in body["items"]}
    again = client_of_user.get(f"/api/video/batches/{batch.pk}", HTTP_IF_NONE_MATCH=before["ETag"])
    assert again.status_code == 200
    user.refresh_from_db()
    assert user.credits == 98, "only the failed one was refunded"
    assert client_of_user.delete(path_of(done)).status_code == 404

    assert_store_and_rows_agree()
    assert not {done.video, done.poster, done.source_image, done.thumbnail} & stored_keys()
    left = sum(size for size in Batch.objects.values_list("stored_bytes", flat=True))
    assert StoredBytes.objects.get(user=user).bytes == left == _bytes_in_store()
    assert_books_balance()
    assert_counts_are_true()


def _bytes_in_store() -> int:
    return sum(file.size for file in stored_files("batches/"))


def test_what_is_left_decides_the_state_of_the_batch(
    user: User, client_of_user: APIClient, tmp_path: Path
) -> None:
    batch = make_batch(user, 2)
    finish(tmp_path)
    claimed = claim()
    attempts.fail(claimed, FINAL)
    assert batch_body(client_of_user, batch)["status"] == "partial"
    failed = VideoItem.objects.get(pk=claimed.item_id)
    assert client_of_user.delete(path_of(failed)).status_code == 200
    body = batch_body(client_of_user, batch)
    assert (body["status"], body["creditsUsed"]) == ("completed", 1)
    kinds = list(CreditEntry.objects.filter(item_id=failed.pk).values_list("kind", flat=True))
    assert sorted(kinds) == ["charge", "refund"], "the ledger remembers"


def test_what_waits_or_is_rendered_is_cancelled_first(user: User, client_of_user: APIClient) -> None:
    make_batch(user, 2)
    running = VideoItem.objects.get(pk=claim().item_id)
    waiting = VideoItem.objects.exclude(pk=running.pk).get()
    for item in (running, waiting):
        answer = client_of_user.delete(path_of(item))
        assert (answer.status_code, answer.json()["code"]) == (409, "video_open")
    assert client_of_user.post(f"{path_of(waiting)}/cancel").status_code == 200
    assert client_of_user.delete(path_of(waiting)).status_code == 200
    assert_counts_are_true()


def test_the_only_video_goes_with_its_batch(user: User, client_of_user: APIClient, tmp_path: Path) -> None:
    make_batch(user)
    answer = client_of_user.delete(path_of(finish(tmp_path)))
    assert (answer.status_code, answer.json()["code"]) == (409, "last_video")


def test_a_video_whose_files_are_gone_takes_only_its_row(
    user: User, client_of_user: APIClient, tmp_path: Path
) -> None:
    batch = make_batch(user, 2)
    finish(tmp_path)
    item = finish(tmp_path)
    Batch.objects.filter(pk=batch.pk).update(files_removed_at=item.finished_at, stored_bytes=0)
    assert client_of_user.delete(path_of(item)).status_code == 200
    assert not FileDeletion.objects.exists()
    batch.refresh_from_db()
    assert batch.stored_bytes == 0


def test_nobody_elses_video_is_deleted_and_every_deletion_is_on_record(
    user: User, client_of_user: APIClient, client_of_admin: APIClient, tmp_path: Path
) -> None:
    make_batch(user, 3)
    first, second = finish(tmp_path), finish(tmp_path)
    assert client_for(make_user()).delete(path_of(first)).status_code == 404
    assert APIClient().delete(path_of(first)).status_code == 401
    assert client_of_user.delete(path_of(first)).status_code == 200
    assert client_of_admin.delete(path_of(second)).status_code == 200
    entries = AuditEntry.objects.filter(action="item.delete").order_by("number")
    assert [(entry.acting_as, entry.target_id, entry.owner_id) for entry in entries] == [
        ("owner", str(first.pk), user.pk),
        ("administrator", str(second.pk), user.pk),
    ]


def test_only_final_states_can_be_taken_out(user: User) -> None:
    batch = make_batch(user, 2)
    item = batch.items.first()
    assert item is not None
    with pytest.raises(ValueError, match="not removed"):
        transitions.remove(batch, item.pk, ItemStatus.PENDING)
    with pytest.raises(IntegrityError):  # a row that goes without its count
        Batch.objects.filter(pk=batch.pk).update(image_count=1)


@pytest.mark.postgresql
def test_of_a_retry_and_a_deletion_at_once_one_wins(tmp_path: Path) -> None:
    for _ in range(4):
        user = make_user()
        make_batch(user, 2)
        claimed = claim()
        attempts.fail(claimed, FINAL)
        item = VideoItem.objects.get(pk=claimed.item_id)
        client = client_for(user)
        client.post(f"/api/video/batches/{item.batch_id}/items/{_other(item).pk}/cancel")
        answers = all_at_once(
            [partial(client.delete, path_of(item)), partial(client.post, f"{path_of(item)}/resume")]
        )
        codes = [answer.status_code for answer in answers]
        assert codes in ([200, 409], [200, 404], [409, 200]), answers
        assert_counts_are_true()
        assert_books_balance()
        client.delete(f"/api/video/batches/{item.batch_id}")


def _other(item: VideoItem) -> VideoItem:
    return VideoItem.objects.filter(batch_id=item.batch_id).exclude(pk=item.pk).get()


@pytest.mark.postgresql
def test_two_deletions_at_once_leave_one_video(tmp_path: Path) -> None:
    for _ in range(4):
        user = make_user()
        batch = make_batch(user, 2)
        items = [finish(tmp_path), finish(tmp_path)]
        client = client_for(user)
        answers = all_at_once([partial(client.delete, path_of(item)) for item in items])
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert batch.items.count() == 1
        assert_counts_are_true()


def test_a_process_of_the_release_before_can_still_make_batches(user: User) -> None:
    """It does not know the column, so the database has to fill it in."""
    batch = make_batch(user)
    known = [str(field.column) for field in Batch._meta.concrete_fields if field.name != "credits_used"]
    columns = ", ".join(known)
    values = ", ".join("%s" if column == "id" else column for column in known)
    other = uuid4()
    new_id = Batch._meta.pk.get_db_prep_value(other, connection)
    copy = f"INSERT INTO batches ({columns}) SELECT {values} FROM batches"  # noqa: S608 - the model's names
    with connection.cursor() as cursor:
        cursor.execute(copy, [new_id])
    assert Batch.objects.get(pk=other).credits_used == 0
    assert Batch.objects.get(pk=batch.pk).credits_used == 1
