"""Store and database belong together, or nothing is removed."""

import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.stores import use_s3
from tests.servers import S3Server
from tests.store.keeping import finish, stored_keys, work_all_off
from tests.support.rows import make_batch, make_user
from videos.models import Batch, DeletionReason, FileDeletion, Installation
from videos.scheduling.sweep import remove_files
from videos.services import batches
from videos.store import deletions, files, keys
from videos.store.installation import MARKER, StoreMismatchError, StoreProblem, claim_store, store_problem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


def doom(batch: Batch) -> None:
    """Put a batch's files on the list, and no row is left that would keep them."""
    batches.batch_delete(batch=batch, acting_user=batch.user)


def test_a_new_installation_marks_its_store(db: None) -> None:
    assert claim_store() is StoreProblem.NONE
    assert default_storage.exists(MARKER)
    assert store_problem() is StoreProblem.NONE
    assert Installation.objects.count() == 1


def test_an_earlier_releases_store_is_known_by_its_files(user: User) -> None:
    make_batch(user)
    Installation.objects.all().delete()
    default_storage.delete(MARKER)
    assert claim_store() is StoreProblem.NONE


def test_the_store_is_marked_before_its_first_file(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> int:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(files, "save_file", fail)
        with pytest.raises(ConnectionResetError):
            make_batch(user)
    assert store_problem() is StoreProblem.NONE
    assert default_storage.exists(MARKER)


def test_an_empty_database_does_not_take_a_filled_store_for_its_own(db: None) -> None:
    default_storage.save("batches/6f1c3c4e-0000-4000-8000-000000000000/audio.wav", ContentFile(b"x"))
    assert claim_store() is StoreProblem.UNMARKED
    assert not default_storage.exists(MARKER)


@pytest.mark.parametrize("change", ["database", "marker", "row"])
def test_nothing_is_removed_from_a_store_of_somebody_else(
    user: User, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    batch = make_batch(user)
    claim_store()
    doom(batch)
    if change == "database":
        Installation.objects.all().delete()
        Installation.objects.create(pk=1)
    elif change == "marker":
        default_storage.delete(MARKER)
        default_storage.save(MARKER, ContentFile(b"nonsense"))
    else:
        Installation.objects.all().delete()
    with pytest.raises(StoreMismatchError):
        deletions.work_off()
    with caplog.at_level(logging.CRITICAL):
        assert remove_files() == 0
    assert "does not belong to this database" in caplog.text
    assert batch.audio in stored_keys()
    assert FileDeletion.objects.exists()
    call_command("prepare_store", "--adopt")
    work_all_off()
    assert stored_keys() == set()


def test_a_marker_that_is_lost_is_written_again_where_our_files_are(user: User) -> None:
    make_batch(user)
    claim_store()
    default_storage.delete(MARKER)
    assert store_problem() is StoreProblem.UNMARKED
    assert claim_store() is StoreProblem.NONE
    assert store_problem() is StoreProblem.NONE


def test_commands_refuse_and_say_why(user: User) -> None:
    claim_store()
    Installation.objects.all().delete()
    Installation.objects.create(pk=1)
    for command in ("prepare_store", "media_orphans"):
        with pytest.raises(CommandError, match="store_of_another_installation"):
            call_command(command)


def test_health_calls_it_degraded_and_administrators_see_it(
    client_of_admin: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zhiying import readiness

    claim_store()
    assert readiness._the_store_is_ours()
    Installation.objects.all().delete()
    Installation.objects.create(pk=1)
    assert not readiness._the_store_is_ours()
    assert readiness.Readiness((readiness.INSTALLATION,)).status == "degraded"
    body = client_of_admin.get("/api/admin/storage").json()
    assert body["problem"] == "store_of_another_installation"


def test_two_installations_live_in_one_bucket(settings: Any, s3_server: S3Server, tmp_path: Path) -> None:
    """Each below a prefix of its own: one removes everything it has, the other keeps all."""
    user = make_user()
    use_s3(settings, s3_server)
    ours = settings.STORAGES
    batch = make_batch(user)
    finish(tmp_path)
    claim_store()
    use_s3(settings, s3_server)
    assert stored_keys() == set(), "the other prefix is seen"
    other = keys.batch_prefix(user.pk)
    default_storage.save(f"{other}audio.wav", ContentFile(b"x"))
    default_storage.save(MARKER, ContentFile(str(Installation.objects.get().uuid).encode()))
    deletions.remove_later([keys.batch_prefix(batch.pk), other], DeletionReason.ORPHAN)
    Batch.objects.all().delete()
    work_all_off()
    assert stored_keys() == set()
    settings.STORAGES = ours
    assert len(stored_keys()) == 1 + 2 + 2, "files of the other installation were removed"
