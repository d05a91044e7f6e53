"""Getting videos out of a batch: their names and addresses, and a ZIP of all or some."""

import csv
import io
import zipfile
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.support.finished import finish
from tests.support.rows import claim, make_batch, make_item, make_user
from videos.models import VideoItem
from videos.services import attempts
from videos.services.attempts import Verdict

pytestmark = pytest.mark.django_db

LIST = "/api/video/batches"
FINAL = Verdict("no_face", "No face was found.")


@pytest.fixture
def client(client_of_user: APIClient) -> APIClient:
    return client_of_user


def download(url: str) -> bytes:
    answer: Any = APIClient().get(url.removeprefix("http://testserver"))
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


@pytest.fixture
def exported(user: User, client: APIClient) -> Any:
    """A batch whose files have hard names, exported: three finished, one failed."""
    batch = make_batch(user, 4)
    for position, name in enumerate(["a.jpg", "A.png", "=cmd|' /C calc'!A0.jpg", "b/../:*?.jpg"]):
        VideoItem.objects.filter(batch=batch, position=position).update(original_name=name)
    for content in (b"one", b"two", b"three" * 100_000):
        finish(content)
    attempts.fail(claim(), FINAL)
    return client.get(f"{LIST}/{batch.pk}/export").json()


def test_export_names_completed_items_only_and_distinctly(exported: Any) -> None:
    assert exported["total"] == 3
    assert [entry["name"] for entry in exported["files"]][:2] == ["a.mp4", "A (2).mp4"]
    for entry, content in zip(exported["files"], (b"one", b"two"), strict=False):
        assert download(entry["url"]) == content


def test_a_download_link_carries_its_file_name(exported: Any) -> None:
    answer = APIClient().get(exported["files"][1]["url"].removeprefix("http://testserver"))
    answer.close()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="A (2).mp4"'


def test_the_archive_is_streamed_whole_with_safe_names(exported: Any) -> None:
    url = exported["zip_url"].removeprefix("http://testserver")
    answer: Any = APIClient().get(url)
    assert answer.streaming
    assert answer.headers["Content-Type"] == "application/zip"
    chunks = list(answer.streaming_content)
    assert len(b"".join(chunks)) == int(answer.headers["Content-Length"])
    assert len(chunks) > 3
    archive = zipfile.ZipFile(io.BytesIO(b"".join(chunks)))
    assert archive.testzip() is None
    entries = archive.namelist()
    assert len({name.lower() for name in entries}) == 4
    assert not [name for name in entries if set(name) & set('/\\:*?"<>|')]
    assert archive.read("A (2).mp4") == b"two"


def test_the_manifest_says_what_became_of_every_image(exported: Any) -> None:
    archive = zipfile.ZipFile(io.BytesIO(download(exported["zip_url"])))
    text = archive.read("manifest.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["status"] for row in rows] == ["completed"] * 3 + ["failed"]
    assert [row["credits"] for row in rows] == ["1", "1", "1", "0"]
    assert rows[3]["reason"]
    assert rows[3]["file"] == ""
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_an_archive_link_is_good_for_its_batch_alone(exported: Any, user: User) -> None:
    other = make_batch(user)
    url = exported["zip_url"].removeprefix("http://testserver")
    forged = url.replace(exported["batch_id"], str(other.pk))
    assert APIClient().get(forged).status_code == 403


def test_some_videos_are_exported_under_the_names_they_always_have(exported: Any, client: APIClient) -> None:
    path = f"{LIST}/{exported['batch_id']}/export"
    failed = VideoItem.objects.get(batch_id=exported["batch_id"], status="failed")
    second = exported["files"][1]
    some = client.get(f"{path}?items={second['id']},{failed.pk}").json()
    assert [(entry["id"], entry["name"]) for entry in some["files"]] == [(second["id"], "A (2).mp4")]
    archive = zipfile.ZipFile(io.BytesIO(download(some["zip_url"])))
    assert archive.namelist() == ["A (2).mp4", "manifest.csv"]
    assert archive.read("A (2).mp4") == b"two"
    rows = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode("utf-8-sig"))))
    assert [row["status"] for row in rows] == ["completed", "failed"]
    for wrong in ("x", "1,2", ",".join([second["id"]] * 1001)):
        assert client.get(f"{path}?items={wrong}").status_code == 400
    zip_path = exported["zip_url"].removeprefix("http://testserver")
    refused = APIClient().get(f"{zip_path}?items=x")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    stranger = make_item(make_user())
    assert client.get(f"{path}?items={stranger.pk}").json()["total"] == 0
