"""`media_orphans`: store and rows compared both ways."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from accounts.models import User
from tests.store.keeping import finish, needed_keys, stored_keys
from tests.support.rows import make_batch, make_user
from videos.models import Batch, DeletionReason, StoredBytes, VideoItem
from videos.services import store_check
from videos.store import deletions, keys, removal
from videos.store.installation import claim_store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


@pytest.fixture(autouse=True)
def _everything_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_check, "YOUNG", timedelta(seconds=-60))


def told(*options: str) -> list[str]:
    claim_store()
    out = io.StringIO()
    call_command("media_orphans", *options, stdout=out)
    return out.getvalue().splitlines()


def save(key: str) -> str:
    return default_storage.save(key, ContentFile(b"x"))


def test_all_is_well(user: User, tmp_path: Path) -> None:
    for _ in range(3):
        make_batch(user, 2)
    finish(tmp_path)
    assert told() == ["0 paths that nothing needs, 0 missing files, 0 unknown."]


def test_each_kind_is_found_and_only_what_nothing_needs_is_removed(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_check, "BATCHES_AT_ONCE", 2)
    made = [make_batch(user) for _ in range(5)]
    item = finish(tmp_path)
    claim_store()
    stray = save(f"{keys.result_prefix(item.batch_id)}{item.pk}-7.mp4")
    gone = make_batch(user)
    Batch.objects.filter(pk=gone.pk).delete()
    abandoned = save(keys.upload_key(user.pk)) if default_storage.__class__.__name__.startswith("S3") else ""
    unknown = save("batches/readme.txt/x")
    missing = made[3].items.get().thumbnail
    removal.remove([missing])
    listed = keys.batch_prefix(make_user().pk)
    save(f"{listed}audio.wav")
    deletions.intend([listed], DeletionReason.CREATION)

    lines = told()
    expected = {f"orphan: {stray}", f"orphan: {keys.batch_prefix(gone.pk)}", f"missing: {missing}"}
    expected |= {f"unknown: {unknown}"} | ({f"orphan: {abandoned}"} if abandoned else set())
    assert {line for line in lines if ": " in line} == expected
    assert stray in stored_keys(), "a dry run removed something"

    told("--delete")
    assert stored_keys() == (needed_keys() - {missing}) | {unknown, f"{listed}audio.wav"}


def test_young_files_are_left_alone(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_check, "YOUNG", timedelta(hours=7))
    make_batch(user)
    claim_store()
    save(f"{keys.batch_prefix(user.pk)}audio.wav")
    assert told("--delete")[0].startswith("0 paths")
    assert f"{keys.batch_prefix(user.pk)}audio.wav" in stored_keys()


def test_sizes_of_an_earlier_release_are_measured(user: User, tmp_path: Path) -> None:
    batch = make_batch(user)
    finish(tmp_path, b"video" * 100)
    right = StoredBytes.objects.get(user=user).bytes
    assert right == Batch.objects.get(pk=batch.pk).stored_bytes > 1000
    sizes = VideoItem.objects.values_list("source_bytes", "video_bytes").get()
    Batch.objects.update(stored_bytes=0)
    VideoItem.objects.update(source_bytes=0, video_bytes=None)
    StoredBytes.objects.all().delete()
    assert "The sizes of 1 batches were corrected." in told("--measure")
    assert StoredBytes.objects.get(user=user).bytes == Batch.objects.get().stored_bytes == right
    assert VideoItem.objects.values_list("source_bytes", "video_bytes").get() == sizes
