"""Parts of direct uploads as this server itself writes them to the disk."""

import io
from datetime import timedelta
from errno import EACCES
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.forms import CREATE
from tests.api.stores import UPLOADS, announce, batch_of_keys, raw_files, row, uploaded, use_disk
from tests.support.media import image_bytes
from tests.support.parallel import all_at_once
from tests.support.rows import client_for
from videos.models import Upload
from videos.services import uploads
from videos.store.direct_uploads import disk
from videos.store.direct_uploads.disk import PartRefusedError, receive_part

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _on_disk(settings: LazySettings, tmp_path: Path) -> None:
    use_disk(settings, tmp_path)


def test_a_part_under_way_while_the_file_is_checked_finds_no_place(client_of_user: APIClient) -> None:
    body = batch_of_keys(client_of_user)
    upload = row(body["images"][0])
    checks: list[int] = []

    class Slow(io.BytesIO):
        """Before its bytes come, somebody checks the batch."""

        def read(self, size: int | None = -1, /) -> bytes:
            answer = client_of_user.post(f"{CREATE}?dry_run=true", body, format="json")
            checks.append(answer.status_code)
            return super().read(size)

    with pytest.raises(PartRefusedError, match="upload_closed"):
        receive_part(upload, 1, Slow(bytes(upload.size)), upload.size)
    assert checks == [200]
    assert client_of_user.post(CREATE, body, format="json").status_code == 201
    assert raw_files() == []


def test_a_file_that_somebody_else_seals_between_two_looks_is_whole(
    client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = row(uploaded(client_of_user, ("a.jpg", image_bytes()))[0])
    look = disk._received

    def look_late(which: Upload, folder: Path) -> set[int]:
        monkeypatch.setattr(disk, "_received", look)
        assert disk.DiskUploads().seal(which)  # the other request
        return look(which, folder)

    monkeypatch.setattr(disk, "_received", look_late)
    assert disk.DiskUploads().seal(upload)


@pytest.mark.parametrize(
    ("content", "length", "code"),
    [
        (image_bytes()[:-1], 0, "part_incomplete"),
        (image_bytes(), 1, "part_size"),
        (image_bytes(), -1, "part_size"),
    ],
)
def test_a_part_that_is_not_whole_is_not_there(
    client_of_user: APIClient, content: bytes, length: int, code: str
) -> None:
    (upload,) = announce(client_of_user, ("a.jpg", image_bytes()))
    with pytest.raises(PartRefusedError, match=code):
        receive_part(row(upload["key"]), 1, io.BytesIO(content), len(image_bytes()) + length)
    seen: Any = client_of_user.get(f"{UPLOADS}/{upload['key']}").json()
    assert [part["received"] for part in seen["parts"]] == [False]


def test_a_part_that_trickles_in_is_given_up(
    client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videos.store.direct_uploads.disk.PART_DEADLINE_S", -1.0)
    (upload,) = announce(client_of_user, ("a.jpg", image_bytes()))
    answer: Any = client_of_user.put(
        upload["url"].removeprefix("http://testserver"), image_bytes(), content_type="image/jpeg"
    )
    assert (answer.status_code, answer.json()["code"]) == (408, "part_too_slow")


def test_a_part_without_a_length_is_refused(client_of_user: APIClient) -> None:
    (upload,) = announce(client_of_user, ("a.jpg", image_bytes()))
    path = upload["url"].removeprefix("http://testserver")
    answer: Any = client_of_user.generic("PUT", path, "x", CONTENT_LENGTH="")
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")
    assert client_of_user.post(path).status_code == 405


def test_of_requests_at_once_that_forget_an_upload_none_fails(user: User, client_of_user: APIClient) -> None:
    for _ in range(5):
        (key,) = uploaded(client_of_user, ("a.jpg", image_bytes()))
        deletes = [partial(client_for(user).delete, f"{UPLOADS}/{key}") for _ in range(4)]
        assert {answer.status_code for answer in all_at_once(deletes)} <= {200, 404}
        assert raw_files() == []


def test_what_somebody_else_removes_at_the_same_time_is_gone(
    client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = row(uploaded(client_of_user, ("a.jpg", image_bytes()))[0])
    look = Path.iterdir

    def look_early(folder: Path) -> list[Path]:
        found = list(look(folder))
        monkeypatch.setattr(Path, "iterdir", look)
        disk.DiskUploads().discard([upload])  # the other request
        return found

    monkeypatch.setattr(Path, "iterdir", look_early)
    disk.DiskUploads().discard([upload])
    assert raw_files() == []


@pytest.mark.parametrize("arrivals", [1, 2])
def test_a_part_that_arrives_while_an_upload_is_removed_is_removed_too(
    client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch, arrivals: int
) -> None:
    upload = row(announce(client_of_user, ("a.jpg", image_bytes()))[0]["key"])
    look, left = Path.iterdir, [*range(arrivals)]

    def look_early(folder: Path) -> list[Path]:
        found = list(look(folder))
        if left:
            (folder / f"late {left.pop()}").write_bytes(b"x")
        return found

    monkeypatch.setattr(Path, "iterdir", look_early)
    if arrivals == 1:
        disk.DiskUploads().discard([upload])
        assert raw_files() == []
    else:
        with pytest.raises(OSError, match="not empty"):
            disk.DiskUploads().discard([upload])


def test_whoever_forgets_an_upload_second_is_told_that_it_is_gone(
    client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = uploaded(client_of_user, ("a.jpg", image_bytes()))
    find = uploads.upload_for

    def find_early(user: User, which: UUID) -> Upload:
        found = find(user, which)
        monkeypatch.setattr(uploads, "upload_for", find)
        assert client_of_user.delete(f"{UPLOADS}/{key}").status_code == 200
        return found

    monkeypatch.setattr(uploads, "upload_for", find_early)
    answer: Any = client_of_user.delete(f"{UPLOADS}/{key}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_upload_that_cannot_be_removed_keeps_no_other(
    client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = uploaded(client_of_user, *[(f"{number}.jpg", image_bytes()) for number in range(3)])
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    remove = disk._remove

    def keep_one(folder: Path) -> None:
        if keys[1] in folder.name:
            raise PermissionError(EACCES, "Permission denied")
        remove(folder)

    with monkeypatch.context() as patch:
        patch.setattr(disk, "_remove", keep_one)
        assert uploads.delete_abandoned() == 2
        assert [str(pk) for pk in Upload.objects.values_list("pk", flat=True)] == [keys[1]]
    assert uploads.delete_abandoned() == 1
    assert raw_files() == []
