"""The two kinds of store, for tests that must hold on both, and a client that sends files to them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests
from django.conf import LazySettings, settings
from django.core.files.storage import default_storage
from django.test import Client
from rest_framework.test import APIClient

from tests.servers import S3Server
from tests.support.media import image_bytes, wav_bytes
from videos.models import Upload
from videos.store.backends import S3MediaStorage

UPLOADS = "/api/video/uploads"
SMALL_PART = 5 * 1024 * 1024
"""The smallest part that S3 takes in the middle of a file."""

_S3_TIMEOUT_S = 60


def use_disk(settings: LazySettings, folder: Path) -> None:
    """A media folder of the test's own."""
    options = {"location": str(folder / "media")}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": options},
    }


def use_s3(settings: LazySettings, server: S3Server, **options: Any) -> None:
    """The private S3 server, where this process and browsers may reach it by different names."""
    settings.S3_BUCKET = server.bucket
    backend = f"{S3MediaStorage.__module__}.{S3MediaStorage.__qualname__}"
    common = {
        "bucket_name": server.bucket,
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "endpoint_url": server.endpoint_url,
        "region_name": server.region,
        "location": uuid4().hex,  # of the test's own
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": backend, "OPTIONS": common},
        "public": {"BACKEND": backend, "OPTIONS": {**common, **options}},
    }


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path) -> str:
    """Each test twice; says on which store."""
    kind = str(request.param)
    if kind == "disk":
        use_disk(settings, tmp_path)
    else:
        use_s3(settings, request.getfixturevalue("s3_server"))
    return kind


def announce(client: APIClient, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
    """Announce files by name and content; returns what the server says of each."""
    body = [{"name": name, "size": len(data), "content_type": _type(name)} for name, data in files]
    answer = client.post(UPLOADS, {"files": body}, format="json")
    assert answer.status_code == 201, answer.content
    uploads: list[dict[str, Any]] = answer.json()["uploads"]
    return uploads


def put(url: str, data: bytes, headers: Mapping[str, str]) -> int:
    """The status of a PUT, to us through Django's test client and to S3 over the network."""
    parts = urlsplit(url)
    if parts.netloc == "testserver":
        answer: Any = Client().put(parts.path, data, content_type=headers["Content-Type"])
        return int(answer.status_code)
    return requests.put(url, data=data, headers=dict(headers), timeout=_S3_TIMEOUT_S).status_code


def send(upload: Mapping[str, Any], data: bytes, numbers: tuple[int, ...] = ()) -> None:
    """PUT the parts of a file, all or some."""
    for part in upload["parts"]:
        if not numbers or part["number"] in numbers:
            piece = data[part["offset"] : part["offset"] + part["size"]]
            assert put(part["url"], piece, upload["headers"]) == 200


def uploaded(client: APIClient, *files: tuple[str, bytes]) -> list[str]:
    """The keys of files that have been sent."""
    uploads = announce(client, *files)
    for upload, (_name, data) in zip(uploads, files, strict=True):
        send(upload, data)
    return [upload["key"] for upload in uploads]


def batch_of_keys(client: APIClient, images: int = 1) -> dict[str, Any]:
    """The body of a batch whose files have been sent."""
    files = [(f"face {number}.jpg", image_bytes()) for number in range(images)]
    keys = uploaded(client, *files, ("speech.wav", wav_bytes()))
    return {"images": keys[:-1], "audio": keys[-1]}


def raw_files() -> list[str]:
    """What the store holds of uploads."""
    try:
        folders, files = default_storage.listdir("uploads")
    except FileNotFoundError:
        return []
    return [*folders, *files]


def unfinished_in(server: S3Server) -> list[str]:
    """The keys of what was begun in parts on S3 and neither completed nor aborted."""
    prefix = settings.STORAGES["default"]["OPTIONS"]["location"]
    listed = server.client().list_multipart_uploads(Bucket=server.bucket, Prefix=prefix)
    return [entry["Key"].rsplit("/")[-1] for entry in listed.get("Uploads", [])]


def row(key: str) -> Upload:
    return Upload.objects.get(pk=key)


def _type(name: str) -> str:
    return {"jpg": "image/jpeg", "png": "image/png", "wav": "audio/wav"}[name.rsplit(".", 1)[1]]
