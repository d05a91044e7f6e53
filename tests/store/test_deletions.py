"""The list of deletions: nothing that is needed goes, nothing that is not stays."""

import time
from datetime import timedelta
from errno import EIO
from functools import partial
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from tests.store.keeping import (
    assert_store_and_rows_agree,
    finish,
    let_time_pass,
    needed_keys,
    stored_keys,
    work_all_off,
)
from tests.support.parallel import all_at_once, times
from tests.support.rows import claim, make_batch, make_item, make_user
from videos.models import Batch, DeletionReason, FileDeletion, VideoItem
from videos.services import attempts, batches
from videos.services.attempts import Verdict
from videos.services.intake import PreparedPortrait
from videos.store import deletions, files, keys, removal
from videos.store.installation import claim_store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]

SEVERAL = 60
SLOW_DOWN = ClientError({"Error": {"Code": "SlowDown"}}, "ListObjectsV2")


def image(folder: Path) -> PreparedPortrait:
    path = folder / "image.jpg"
    path.write_bytes(b"image")
    return PreparedPortrait("new.jpg", path, path, 160, 160)


def test_what_a_batch_needs_stays_and_goes_with_it(user: User, tmp_path: Path) -> None:
    batch = make_batch(user, 2)
    finish(tmp_path)
    assert_store_and_rows_agree()
    assert len(stored_keys()) == 1 + 2 * 2 + 2
    batches.batch_delete(batch=batch, acting_user=user)
    assert needed_keys() == set()
    assert_store_and_rows_agree()
    assert stored_keys() == set()


def test_a_replaced_image_goes(user: User, tmp_path: Path) -> None:
    item = make_item(user)
    old = {item.source_image, item.thumbnail}
    attempts.fail(claim(), Verdict("no_face"))
    item.refresh_from_db()
    batches.item_replace(item=item, portrait=image(tmp_path), acting_user=user)
    assert not old & needed_keys()
    assert_store_and_rows_agree()


def test_two_replacements_one_after_the_other_leave_nothing(user: User, tmp_path: Path) -> None:
    """The second request has seen the first image, not that of the first request."""
    item = make_item(user)
    for seen in [VideoItem.objects.select_related("batch__user").get(pk=item.pk) for _ in range(2)]:
        attempts.fail(claim(), Verdict("no_face"))
        batches.item_replace(item=seen, portrait=image(tmp_path), acting_user=user)
    assert_store_and_rows_agree()


def test_files_that_nobody_took_go_in_time_and_not_before(user: User) -> None:
    batch_id = make_user().pk
    prefix = keys.batch_prefix(batch_id)
    deletions.intend([prefix], DeletionReason.CREATION)
    default_storage.save(f"{prefix}audio.wav", ContentFile(b"x"))
    assert deletions.work_off() == 0
    assert stored_keys(prefix) == {f"{prefix}audio.wav"}
    work_all_off()
    assert stored_keys(prefix) == set()


def test_a_result_of_a_worker_that_was_killed_goes(user: User, tmp_path: Path) -> None:
    """It stored its files and did not live to finish; the next attempt does."""
    make_item(user)
    killed = claim()
    lost, _poster = keys.result_keys(killed.batch_id, killed.item_id, killed.attempt)
    deletions.intend([lost], DeletionReason.ATTEMPT)
    default_storage.save(lost, ContentFile(b"x"))
    attempts.release(killed)
    done = finish(tmp_path)
    assert lost in stored_keys()
    assert_store_and_rows_agree()
    assert done.video in stored_keys()


def test_what_a_row_needs_stays_whatever_the_list_says(user: User, tmp_path: Path) -> None:
    batch = make_batch(user)
    item = finish(tmp_path)
    everything = [keys.batch_prefix(batch.pk), *needed_keys()]
    deletions.remove_later(everything, DeletionReason.ORPHAN)
    assert_store_and_rows_agree()
    assert item.video in stored_keys()


def test_files_whose_removal_has_begun_cannot_be_taken_any_more(user: User) -> None:
    intent = deletions.intend([keys.batch_prefix(user.pk)], DeletionReason.CREATION)
    let_time_pass()
    assert deletions._begin()
    with pytest.raises(deletions.FilesGoneError), transaction.atomic():
        deletions.take(intent)


@pytest.mark.postgresql
def test_taking_and_removing_at_once_have_one_winner(user: User) -> None:
    claim_store()
    for _ in range(5):
        prefix = keys.batch_prefix(make_user().pk)
        intent = deletions.intend([prefix], DeletionReason.CREATION)
        default_storage.save(f"{prefix}audio.wav", ContentFile(b"x"))
        let_time_pass()
        taken, _removed = all_at_once([partial(deletions.take, intent), deletions.work_off])
        assert (taken is None) == bool(stored_keys(prefix)), taken
        assert not FileDeletion.objects.exists()
        removal.remove(stored_keys(prefix))


@pytest.mark.postgresql
def test_several_workers_share_the_list(user: User) -> None:
    claim_store()
    for _ in range(SEVERAL):
        prefix = keys.batch_prefix(make_user().pk)
        default_storage.save(f"{prefix}audio.wav", ContentFile(b"x"))
        deletions.remove_later([prefix], DeletionReason.BATCH)
    results = all_at_once(times(3, deletions.work_off))
    assert sum(results) == SEVERAL, results
    assert stored_keys() == set()


def test_deleting_many_batches_only_writes_a_list(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [make_batch(user) for _ in range(5)]

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a request waited for the store")

    with monkeypatch.context() as patch:
        patch.setattr(removal, "remove", refuse)
        patch.setattr(removal, "keys_below", refuse)
        for batch in made:
            batches.batch_delete(batch=batch, acting_user=user)
    assert FileDeletion.objects.count() == 5
    assert_store_and_rows_agree()


def test_a_store_that_does_not_let_go_is_asked_again_later(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(user)
    batches.batch_delete(batch=batch, acting_user=user)
    with monkeypatch.context() as patch:
        patch.setattr(removal, "remove", set)  # everything is left over
        assert deletions.work_off() == 0
    entry = FileDeletion.objects.get()
    assert entry.tries == 1
    assert entry.due_at > timezone.now() + timedelta(seconds=30)
    assert deletions.work_off() == 0, "it was asked again at once"
    assert_store_and_rows_agree()


@pytest.mark.parametrize("error", [PermissionError(), OSError(EIO, "broken"), SLOW_DOWN], ids=repr)
def test_one_entry_that_cannot_be_listed_keeps_no_other(
    user: User, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whichever comes first: all that are taken together come back together."""
    bad, *others = [make_batch(user) for _ in range(3)]
    for batch in (bad, *others):
        batches.batch_delete(batch=batch, acting_user=user)
    FileDeletion.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    real, prefix = removal.keys_below, keys.batch_prefix(bad.pk)
    refused: list[str] = []

    def keys_below(path: str, limit: int) -> list[str]:
        if path == prefix:
            refused.append(path)
            raise error
        return real(path, limit)

    with monkeypatch.context() as patch:
        patch.setattr(removal, "keys_below", keys_below)
        assert deletions.work_off() == len(others)
        assert deletions.work_off() == 0, "it was asked again at once"
    left = FileDeletion.objects.get()
    assert (left.path, left.tries, refused) == (prefix, 1, [prefix])
    assert stored_keys(prefix)
    assert_store_and_rows_agree()


def test_what_a_listing_that_hangs_left_no_time_for_is_next(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And was not tried, so it does not count as such."""
    for batch in [make_batch(user) for _ in range(3)]:
        batches.batch_delete(batch=batch, acting_user=user)
    real, hanging = removal.keys_below, list[str]()

    def keys_below(path: str, limit: int) -> list[str]:
        if not hanging:
            hanging.append(path)
        if path in hanging:
            raise TimeoutError
        return real(path, limit)

    with monkeypatch.context() as patch:
        patch.setattr(removal, "keys_below", keys_below)
        assert deletions.work_off(budget_s=-1) == 0
        assert sorted(FileDeletion.objects.values_list("tries", flat=True)) == [0, 0, 1]
        assert deletions.work_off() == 2
    assert [row.path for row in FileDeletion.objects.all()] == hanging
    assert_store_and_rows_agree()


def test_a_huge_prefix_is_removed_piece_by_piece(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletions, "KEYS_BELOW_AT_ONCE", 3)
    batch = make_batch(user, 5)
    batches.batch_delete(batch=batch, acting_user=user)
    ends_at = time.monotonic() + 60
    while FileDeletion.objects.exists():
        deletions.work_off()
        assert time.monotonic() < ends_at
    assert stored_keys() == set()


NOBODYS = ["", "batches/", "batches", "uploads/", "/", "batches/x/", "other/a", "batches/../x"]


@pytest.mark.parametrize("path", NOBODYS)
def test_a_path_that_is_nobodys_is_refused(user: User, path: str) -> None:
    batch = make_batch(user)
    with pytest.raises(removal.NotRemovableError):
        removal.keys_below(path, 10)
    with pytest.raises(removal.NotRemovableError):
        removal.remove([path])
    assert batch.audio in stored_keys()


@pytest.mark.parametrize("path", ["", "other/x", "zhiying-installation"])
def test_the_database_refuses_paths_that_are_nobodys(path: str) -> None:
    with pytest.raises(IntegrityError):
        FileDeletion.objects.create(path=path, reason=DeletionReason.ORPHAN, due_at=timezone.now())


def test_a_broken_creation_leaves_nothing(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = files.save_file, []

    def fail_at_the_third(path: Path, key: str) -> int:
        calls.append(key)
        if len(calls) == 3:
            raise ConnectionResetError
        return real(path, key)

    monkeypatch.setattr(files, "save_file", fail_at_the_third)
    with pytest.raises(ConnectionResetError):
        make_batch(user, 3)
    assert len(stored_keys()) == 2
    assert deletions.work_off() == 1, "it was left to the hours after"
    assert stored_keys() == set()
    assert not Batch.objects.exists()
