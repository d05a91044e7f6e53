"""Values that no honest client sends, in every place that takes one: the answer is JSON and never a 5xx."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from tests.support.rows import PASSWORD, UserClient, client_for, make_batch, make_user
from videos.models import Batch
from videos.store.urls import media_path
from zhiying.wsgi import application

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

NASTY: tuple[Any, ...] = (
    "\0",
    "a\0b",
    "a\nb",
    "a\r\nSet-Cookie: x=1",
    "\ud800",
    "\udfff name",
    "‮exe.4pm",
    "x" * 100_000,
    "",
    " ",
    "%s%(x)s{0}",
    2**63,
    -(2**63) - 1,
    10**400,
    1e400,
    float("nan"),
    -1,
    True,
    None,
    [],
    {},
    [[[]]],
    {"a": {"b": "\0"}},
)
BODIES = (
    ("POST", "/api/auth/login", ("username", "password")),
    ("POST", "/api/auth/refresh", ("refresh",)),
    ("POST", "/api/user/change-password", ("old_password", "new_password")),
    ("POST", "/api/video/batch", ("name", "prompt", "images", "audio")),
    ("POST", "/api/video/uploads", ("files",)),
    ("PATCH", "/api/video/batches/{batch}", ("name",)),
    ("POST", "/api/admin/users", ("username", "credits", "is_admin", "password")),
    ("PATCH", "/api/admin/users/{user}", ("is_active",)),
    ("PATCH", "/api/admin/users/{user}/credits", ("new_credits", "delta", "reason")),
)
LISTS = (
    ("/api/video/batches", ("limit", "offset", "cursor", "search", "status", "date_from", "summary")),
    ("/api/admin/users", ("limit", "offset", "cursor", "search", "ordering", "is_active")),
    ("/api/admin/batches", ("limit", "cursor", "search", "status", "user", "date_to", "ordering")),
    ("/api/admin/audit", ("limit", "cursor", "search", "action", "actor")),
    ("/api/admin/usage", ("days", "date_from")),
    ("/api/user/credits", ("limit", "cursor")),
)


BYTES: tuple[Any, ...] = (
    b'{"name": "\xff"}',
    b"\xff\xfe{\0",
    b"--a\r\n\r\n--a--",
    b"a=%ff&name=%00",
)


@pytest.fixture
def batch(user: User) -> Batch:
    return make_batch(user)


@pytest.fixture
def client(user: User) -> UserClient:
    """Of an administrator, who reaches everything."""
    client = client_for(make_user(is_admin=True))
    client.raise_request_exception = False
    return client


def assert_is_an_answer(answer: Any, what: object) -> None:
    assert answer.status_code < 500, what
    if answer.status_code not in (204, 304):
        assert answer["Content-Type"].startswith("application/json"), what
        json.loads(answer.content)


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(("method", "path", "names"), BODIES)
def test_in_bodies(
    client: APIClient, user: User, batch: Batch, method: str, path: str, names: tuple[str, ...]
) -> None:
    good = {"username": "someone", "password": PASSWORD, "credits": 1, "name": "x", "reason": "x"}
    for name in names:
        for value in NASTY:
            body = json.dumps({**{key: good[key] for key in names if key in good}, name: value})
            answer = client.generic(
                method, path.format(user=user.pk, batch=batch.pk), body, content_type="application/json"
            )
            assert_is_an_answer(answer, (path, name, str(value)[:40]))


@pytest.mark.parametrize(("path", "names"), LISTS)
def test_in_queries(client: APIClient, path: str, names: tuple[str, ...]) -> None:
    for name in names:
        for value in NASTY:
            query = quote(text_of(value)[:2000].encode("utf-8", "surrogatepass"))
            assert_is_an_answer(client.get(f"{path}?{name}={query}"), (path, name, str(value)[:40]))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=nonsense",
        "application/json; charset=utf-16",
        "application/json; charset=rot13",
        "application/json; charset=base64",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 1000,
        "multipart/form-data; boundary=a; charset=nonsense",
        "multipart/form-data; boundary=\xff",
        "application/x-www-form-urlencoded; charset=nonsense",
        "application/x-www-form-urlencoded; charset=hex",
        "text/plain",
        "\xff\xfe",
        "",
    ],
)
def test_as_types_of_content(client: APIClient, batch: Batch, content_type: str) -> None:
    for method, path, _names in BODIES:
        for body in BYTES:
            address = path.format(user=batch.user_id, batch=batch.pk)
            answer = client.generic(method, address, body, content_type=content_type)
            assert_is_an_answer(answer, (path, body))


@pytest.mark.parametrize("charset", ["utf-8", "rot13", "undefined", "idna", "utf-16", "nonsense", "\xff"])
@pytest.mark.parametrize("query", ["limit=1&search=%E6%89%B9", "search=\xe6\x89\xb9", "a=1&" * 1001])
def test_as_charsets_of_a_query(
    client: APIClient, batch: Batch, charset: str, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests are made as a server makes them: Django's test client has a way of its own."""
    monkeypatch.setattr("django.test.client.WSGIRequest", application.request_class)
    facts: Any = {"QUERY_STRING": query, "content_type": f"application/json; charset={charset}"}
    answer = client.generic("GET", "/api/video/batches", **facts)
    assert_is_an_answer(answer, charset)
    assert answer.status_code == (413 if query.startswith("a=") else 200)
    signed = media_path(batch.items.get().source_image)
    for path, statuses in ((signed, {200, 400}), ("/healthz", {200})):
        answer = client.generic("GET", path, **facts)
        answer.close()
        assert answer.status_code in statuses


@pytest.mark.parametrize(
    "header",
    [
        'name="name"\r\n\r\n\xff\0',
        'name="\xff\0"\r\n\r\nx',
        'name="images"; filename="\0"\r\n\r\nx',
        'name="images"; filename="\xff\xfe.jpg"\r\nContent-Type: image/jpeg; charset=nonsense\r\n\r\nx',
        "name=\"images\"; filename*=nonsense''%ff\r\n\r\nx",
        "name=\"images\"; filename*=utf-8''%ff%00\r\n\r\nx",
        'name="images"; filename="../../../../etc/passwd"\r\n\r\nx',
        'name="images"; filename="a.jpg"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!',
    ],
)
def test_in_parts_of_forms(client: APIClient, header: str) -> None:
    body: Any = f"--a\r\nContent-Disposition: form-data; {header}\r\n--a--\r\n".encode("latin-1")
    for path in ("/api/video/batch", "/api/auth/login", "/api/admin/users"):
        answer = client.generic("POST", path, body, content_type="multipart/form-data; boundary=a")
        assert_is_an_answer(answer, (path, header))


@pytest.mark.parametrize(
    "download", ["abc%0A", "abc%0D%0AX:1", "%00", "%ff", "%ED%A0%80", "x" * 5000, "%E4%BD%A0"]
)
def test_as_the_name_of_a_download(batch: Batch, download: str) -> None:
    path = media_path(batch.items.get().source_image)
    answer = Client(raise_request_exception=False).get(f"{path}?download={download}")
    assert answer.status_code == 200
    assert "\n" not in answer["Content-Disposition"]


def test_in_the_name_of_a_batch_that_is_exported(user: User) -> None:
    batch = make_batch(user, name="a\nb\r")
    zip_url = client_for(user).get(f"/api/video/batches/{batch.pk}/export").json()["zip_url"]
    answer = Client(raise_request_exception=False).get(zip_url)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "value", ["bytes=0-9" + "9" * 30, "bytes=-", "bytes=a-b", "bytes=9-1", "lines=1-2", "\xff"]
)
def test_as_ranges(batch: Batch, value: str) -> None:
    path = media_path(batch.items.get().source_image)
    answer = Client(raise_request_exception=False).get(path, headers={"range": value})
    assert answer.status_code in (200, 206, 416)


@pytest.mark.parametrize("value", ["\xff", '"', "W/", "*", "a" * 10_000, "\0"])
def test_as_conditions_and_keys(client: APIClient, batch: Batch, value: str) -> None:
    for name in (
        "HTTP_IF_NONE_MATCH",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_IDEMPOTENCY_KEY",
        "HTTP_ACCEPT_LANGUAGE",
    ):
        headers: Any = {name: value}
        assert_is_an_answer(client.get(f"/api/video/batches/{batch.pk}", **headers), name)
        assert_is_an_answer(client.post("/api/video/batch", **headers), name)


@pytest.mark.parametrize(
    "value", ["Bearer \xff", "Bearer \0", "Bearer", "Bearer a b", "Bearer " + "x" * 10_000]
)
def test_as_tokens(value: str) -> None:
    client = APIClient(raise_request_exception=False)
    assert_is_an_answer(client.get("/api/user/profile", HTTP_AUTHORIZATION=value), value)
