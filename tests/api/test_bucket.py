"""What browsers may do with the bucket: addressing, public endpoints, signatures and CORS."""

import io
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.core.management import call_command
from rest_framework.test import APIClient

from tests.api.forms import CREATE
from tests.api.stores import announce, batch_of_keys, use_disk, use_s3
from tests.servers import S3Server
from tests.support.media import image_bytes
from videos.models import Upload
from videos.services.uploads import received_parts
from videos.store.installation import MARKER

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = "https://videos.test"
TIMEOUT_S = 60


@pytest.fixture
def any_name_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names below .localhost lead here on machines whose resolver does not say so, too."""
    resolve = socket.getaddrinfo

    def here(host: Any, *args: Any, **options: Any) -> Any:
        local = isinstance(host, str) and host.endswith(".localhost")
        return resolve("127.0.0.1" if local else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)


def prepare(settings: LazySettings, server: S3Server, *origins: str) -> str:
    settings.PUBLIC_URL, settings.CORS_ALLOWED_ORIGINS = origins[0], list(origins[1:])
    use_s3(settings, server)
    out = io.StringIO()
    call_command("prepare_store", stdout=out)
    return out.getvalue()


def preflight(url: str, origin: str, method: str = "PUT") -> requests.Response:
    wanted = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type",
    }
    return requests.options(url, headers=wanted, timeout=TIMEOUT_S)


def test_pages_of_ours_and_no_others_may_send_files_to_the_bucket(
    client_of_user: APIClient, settings: LazySettings, s3_server: S3Server
) -> None:
    said = prepare(settings, s3_server, ORIGIN, "https://other.test")
    assert "https://videos.test, https://other.test" in said
    (upload,) = announce(client_of_user, ("a.jpg", image_bytes()))
    for origin in (ORIGIN, "https://other.test"):
        answer = preflight(upload["url"], origin)
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    refused = preflight(upload["url"], "https://evil.test")
    assert "Access-Control-Allow-Origin" not in refused.headers
    refused = preflight(upload["url"], ORIGIN, "DELETE")
    assert "DELETE" not in refused.headers.get("Access-Control-Allow-Methods", "")
    prepare(settings, s3_server, "https://new.test")  # again, with another address
    assert "Access-Control-Allow-Origin" not in preflight(upload["url"], ORIGIN).headers


def test_a_missing_bucket_is_made(settings: LazySettings, s3_server: S3Server) -> None:
    other = S3Server(s3_server.endpoint_url, s3_server.access_key, s3_server.secret_key, f"b{uuid4().hex}")
    assert f"Made the bucket {other.bucket}." in prepare(settings, other, ORIGIN)
    assert "Made the bucket" not in prepare(settings, other, ORIGIN)
    rules = other.client().get_bucket_lifecycle_configuration(Bucket=other.bucket)["Rules"]
    assert [rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] for rule in rules]


@pytest.mark.django_db
def test_on_disk_only_the_mark_is_set(settings: LazySettings, tmp_path: Path) -> None:
    use_disk(settings, tmp_path)
    out = io.StringIO()
    call_command("prepare_store", stdout=out)
    assert out.getvalue() == "The store is this installation's.\n"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [MARKER]


@pytest.mark.usefixtures("any_name_is_this_machine")
@pytest.mark.parametrize("style", ["path", "virtual"])
def test_files_travel_by_the_public_name_of_the_store(
    client_of_user: APIClient, settings: LazySettings, s3_server: S3Server, style: str
) -> None:
    """Clients reach the store by a name that this process does not use, in either way of addressing."""
    settings.S3_ADDRESSING_STYLE = style
    public = f"http://store.localhost:{urlsplit(s3_server.endpoint_url).port}"
    use_s3(settings, s3_server, endpoint_url=public)
    host = f"{s3_server.bucket}.store.localhost" if style == "virtual" else "store.localhost"
    (upload,) = announce(client_of_user, ("a.jpg", image_bytes()))
    assert urlsplit(upload["url"]).hostname == host
    answer = requests.put(upload["url"], data=image_bytes(), headers=upload["headers"], timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    assert received_parts(Upload.objects.get(pk=upload["key"])) == {1}
    body = batch_of_keys(client_of_user)
    created = client_of_user.post(CREATE, body, format="json")
    assert created.status_code == 201, created.content
    batch = client_of_user.get(f"/api/video/batches/{created.json()['batch_id']}").json()
    redirect = client_of_user.get(urlsplit(batch["items"][0]["sourceImage"]).path)
    assert urlsplit(redirect.headers["Location"]).hostname == host
    assert requests.get(redirect.headers["Location"], timeout=TIMEOUT_S).status_code == 200
    assert default_storage.listdir("batches")[0] == [created.json()["batch_id"]]
