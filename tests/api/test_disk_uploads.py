"""Parts of direct uploads as this server itself writes them to the disk."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from tests.api.forms import CREATE
from tests.api.stores import UPLOADS, announce, batch_of_keys, raw_files, row, uploaded, use_disk
from tests.support.media import image_bytes
from videos.models import Upload
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
