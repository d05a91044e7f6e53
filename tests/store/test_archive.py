"""The ZIP of a batch's videos, from either store."""

import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from django.http import StreamingHttpResponse
from rest_framework.test import APIClient

from accounts.models import User
from tests.servers.process import wait_until
from tests.store.keeping import finish
from tests.support.rows import make_batch
from videos.models import Batch
from videos.services import archive
from videos.store import files, removal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]

VIDEOS = 5


@pytest.fixture
def batch(user: User, tmp_path: Path) -> Batch:
    made = make_batch(user, VIDEOS)
    for number in range(VIDEOS):
        finish(tmp_path, bytes([number]) * 300_000)
    return made


def answer_for(client: APIClient, batch: Batch) -> Any:
    url = client.get(f"/api/video/batches/{batch.pk}/export").json()["zip_url"]
    return client.get(url.removeprefix("http://testserver"))


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "archive"]


def test_the_archive_is_whole_and_as_long_as_announced(batch: Batch, client_of_user: APIClient) -> None:
    answer = answer_for(client_of_user, batch)
    content = b"".join(answer.streaming_content)
    assert len(content) == int(answer.headers["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        assert opened.read("face 3.mp4") == bytes([3]) * 300_000
        assert len(opened.namelist()) == VIDEOS + 1


def test_before_the_first_byte_the_store_is_asked_once(
    batch: Batch, client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    calls: list[str] = []
    real = BaseClient._make_api_call  # type: ignore[attr-defined]  # private

    def count(self: Any, operation: str, arguments: Any) -> Any:
        calls.append(operation)
        return real(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", count)
    answer = answer_for(client_of_user, batch)
    assert calls == (["ListObjectsV2"] if store == "s3" else [])
    assert len(b"".join(answer.streaming_content)) == int(answer.headers["Content-Length"])
    assert "HeadObject" not in calls


def test_a_video_that_is_missing_is_left_out_and_the_manifest_says_so(
    batch: Batch, client_of_user: APIClient
) -> None:
    removal.remove([batch.items.get(position=2).video])
    answer = answer_for(client_of_user, batch)
    content = b"".join(answer.streaming_content)
    assert len(content) == int(answer.headers["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        assert "face 2.mp4" not in opened.namelist()
        rows = opened.read("manifest.csv").decode("utf-8-sig").splitlines()
    assert rows[3].startswith(",face 2.jpg,completed,")
    assert len(rows[3].split(",")[3]) > 5


def test_the_next_file_is_asked_for_while_one_is_sent(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = files.chunks

    def chunks(key: str) -> Iterator[bytes]:
        asked.append(key)
        return real(key)

    monkeypatch.setattr(files, "chunks", chunks)
    stream = iter(archive.stream_archive(batch))
    next(stream)
    while not asked:
        next(stream)
    wait_until(lambda: len(asked) == 2, timeout_s=30, what="the request for the second file")
    assert len(asked) < VIDEOS
    for _chunk in stream:
        pass
    assert len(asked) == len(set(asked)) == VIDEOS


@pytest.fixture
def _far_from_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a reader is ahead, and waits for its chunks to be taken."""
    monkeypatch.setattr(files, "CHUNK_BYTES", 1000)


def sent_until(stream: Iterator[bytes], seen: bytes) -> None:
    """Read on until something of the archive begins so."""
    while not next(stream).startswith(seen):
        pass


HEADER, DESCRIPTOR = b"PK\x03\x04", b"PK\x07\x08"
LEFT_AFTER = {
    "a piece of the first video": (HEADER, bytes([0]) * 1000),
    "the first video": (DESCRIPTOR,),
    "the header of the second": (DESCRIPTOR, HEADER),
    "the second video": (DESCRIPTOR, DESCRIPTOR),
}


@pytest.mark.usefixtures("_far_from_the_end")
@pytest.mark.parametrize("after", LEFT_AFTER)
@pytest.mark.parametrize("ended_by", ["the iterator", "the answer"])
def test_whoever_stops_reading_leaves_no_reader_behind(batch: Batch, after: str, ended_by: str) -> None:
    answer = StreamingHttpResponse(archive.stream_archive(batch))
    stream: Any = answer._iterator  # type: ignore[attr-defined]  # what servers are given, before it is mapped
    for seen in LEFT_AFTER[after]:
        sent_until(stream, seen)
    assert readers()
    (stream if ended_by == "the iterator" else answer).close()
    wait_until(lambda: not readers(), timeout_s=30, what="the end of the readers")


@pytest.mark.usefixtures("_far_from_the_end")
def test_a_video_that_breaks_off_leaves_no_reader_behind(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, real = batch.items.get(position=0).video, files.chunks

    def chunks(key: str) -> Iterator[bytes]:
        yield next(real(key))
        if key == broken:
            raise ConnectionError("broke off")
        yield from real(key)

    monkeypatch.setattr(files, "chunks", chunks)
    stream = iter(archive.stream_archive(batch))
    with pytest.raises(ConnectionError):
        sent_until(stream, DESCRIPTOR)
    wait_until(lambda: not readers(), timeout_s=30, what="the end of the readers")


def test_an_answer_that_is_never_begun_begins_no_reader(batch: Batch) -> None:
    answer = StreamingHttpResponse(archive.stream_archive(batch))
    answer.close()
    assert not readers()
