"""A store that sends a few bytes now and then: each proves that it lives, and the file never comes."""

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.api.stores import use_s3
from tests.servers import S3Server
from tests.servers.process import LOOPBACK
from tests.support.bad_way import Passage, Way
from videos.models import Upload
from videos.store import backends, files
from videos.store.direct_uploads import upload_store
from videos.store.keys import upload_key

KEY = "batches/a/source/portrait.jpg"
CONTENT = bytes(range(256)) * 2 * 1024
"""Takes 50 s on a bad way, and a chunk of it 25 s."""


@pytest.fixture
def way(settings: LazySettings, s3_server: S3Server) -> Iterator[Passage]:
    """The way to the store."""
    with Passage(urlsplit(s3_server.endpoint_url).port or 0).open() as passage:
        use_s3(settings, replace(s3_server, endpoint_url=f"http://{LOOPBACK}:{passage.port}"))
        yield passage


def save(key: str) -> None:
    default_storage.save(key, ContentFile(CONTENT))


def test_a_file_that_drips_in_is_fetched_no_longer_than_its_deadline(
    way: Passage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(KEY)
    monkeypatch.setattr(files, "FETCH_DEADLINE_S", 0.5)
    way.become(Way.TRICKLING)
    began = time.monotonic()
    with pytest.raises(TimeoutError), files.local_copy(KEY, tmp_path):
        pass
    assert time.monotonic() - began < 15
    assert list(tmp_path.iterdir()) == []


def test_a_stream_that_drips_is_given_up(way: Passage, monkeypatch: pytest.MonkeyPatch) -> None:
    save(KEY)
    monkeypatch.setattr(backends, "CHUNK_DEADLINE_S", 0.3)
    way.become(Way.TRICKLING)
    with pytest.raises(TimeoutError):
        next(files.chunks(KEY))


def test_a_stream_that_drips_is_taken_up_again_where_it_stopped(
    way: Passage, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(KEY)
    store, asked = backends.bucket(), list[str]()

    class Client:
        def get_object(self, **wanted: Any) -> Any:
            if asked:
                way.become(Way.GOOD)
                monkeypatch.undo()
            asked.append(wanted.get("Range", ""))
            return store.client.get_object(**wanted)

    monkeypatch.setattr(files, "bucket", lambda: replace(store, client=Client()))  # type: ignore[arg-type]
    monkeypatch.setattr(files, "CHUNK_BYTES", 4096)
    way.become(Way.TRICKLING)
    chunks = files.chunks(KEY)
    begun = next(chunks)
    monkeypatch.setattr(backends, "CHUNK_DEADLINE_S", 0.0)
    assert begun + b"".join(chunks) == CONTENT
    assert asked == ["", "bytes=4096-"]


@pytest.mark.parametrize(
    "deadline",
    [
        pytest.param((backends, "CHUNK_DEADLINE_S", 0.3), id="of a piece"),
        pytest.param((files, "FETCH_DEADLINE_S", 0.3), id="of the file"),
    ],
)
def test_an_upload_that_drips_in_is_given_up(
    way: Passage, monkeypatch: pytest.MonkeyPatch, deadline: tuple[object, str, float]
) -> None:
    upload = Upload(pk=uuid4(), size=len(CONTENT))
    save(upload_key(upload.pk))
    store = backends.bucket()
    facts = store.client.head_object(Bucket=store.name, Key=store.name_of(upload_key(upload.pk)))
    upload.seal = facts["ETag"]
    whole = io.BytesIO()
    upload_store().read_into(upload, whole)
    assert whole.getvalue() == CONTENT
    monkeypatch.setattr(*deadline)
    way.become(Way.TRICKLING)
    with pytest.raises(TimeoutError):
        upload_store().read_into(upload, io.BytesIO())
