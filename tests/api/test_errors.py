"""Whatever a client sends, the answer is JSON with a reason, and never a 5xx."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.support.rows import client_for, make_item, make_user
from videos.models import VideoItem

pytestmark = pytest.mark.django_db

BATCH_CALLS = [
    ("GET", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "/cancel"),
    ("POST", "/retry_failed"),
    ("GET", "/items/{item}/result_url"),
    ("GET", "/items/{item}/input_url"),
    ("GET", "/export"),
    ("POST", "/items/{item}/cancel"),
    ("POST", "/items/{item}/resume"),
    ("POST", "/items/{item}/replace"),
]
ITEM_CALLS = [(method, path) for method, path in BATCH_CALLS if "{item}" in path]
ADMIN_CALLS = [
    ("GET", "/api/admin/users"),
    ("POST", "/api/admin/users"),
    ("GET", "/api/admin/users/{user}"),
    ("PATCH", "/api/admin/users/{user}"),
    ("GET", "/api/admin/users/{user}/credits"),
    ("PATCH", "/api/admin/users/{user}/credits"),
    ("GET", "/api/admin/batches"),
    ("GET", "/api/admin/usage"),
]
NUL = "a\x00b"


def assert_reason(answer: Any, *statuses: int) -> dict[str, Any]:
    """The body of an error: JSON, with a sentence and a code."""
    assert answer.status_code in statuses, (answer.status_code, answer.content[:300])
    assert answer.headers["Content-Type"].startswith("application/json")
    body: dict[str, Any] = json.loads(answer.content)
    assert body["detail"]
    assert isinstance(body["detail"], str)
    assert body["code"]
    return body


@pytest.fixture
def item(db: None) -> VideoItem:
    """An item of somebody else."""
    return make_item(make_user("owner"))


# --- Who may ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), BATCH_CALLS)
def test_other_peoples_batches_look_like_none(
    client_of_user: APIClient, item: VideoItem, method: str, path: str
) -> None:
    there = f"/api/video/batches/{item.batch_id}{path.format(item=item.pk)}"
    nowhere = f"/api/video/batches/{uuid4()}{path.format(item=uuid4())}"
    bodies = [
        assert_reason(client_of_user.generic(method, address, '{"name": "x"}', "application/json"), 404)
        for address in (there, nowhere)
    ]
    assert bodies[0] == bodies[1]
    item.refresh_from_db()
    assert item.status == "pending"


@pytest.mark.parametrize(("method", "path"), ITEM_CALLS)
def test_an_item_of_another_batch_is_not_found(item: VideoItem, method: str, path: str) -> None:
    user = make_user()
    client, own = client_for(user), make_item(user)
    answer = client.generic(method, f"/api/video/batches/{own.batch_id}{path.format(item=item.pk)}")
    assert_reason(answer, 404)


@pytest.mark.parametrize(("method", "path"), ADMIN_CALLS)
def test_calls_of_administrators_are_theirs_alone(
    client_of_user: APIClient, user: User, method: str, path: str
) -> None:
    address = path.format(user=user.pk)
    assert_reason(client_of_user.generic(method, address, "{}", "application/json"), 403)
    assert_reason(APIClient().generic(method, address, "{}", "application/json"), 401)


@pytest.mark.parametrize(("method", "path"), BATCH_CALLS)
def test_without_a_token_nothing_is_answered(item: VideoItem, method: str, path: str) -> None:
    answer = APIClient().generic(method, f"/api/video/batches/{item.batch_id}{path.format(item=item.pk)}")
    assert_reason(answer, 401)


def test_administrators_may_read_and_cancel_everybodys_batches(
    client_of_admin: APIClient, item: VideoItem
) -> None:
    address = f"/api/video/batches/{item.batch_id}"
    assert client_of_admin.get(address).status_code == 200
    assert client_of_admin.post(f"{address}/cancel").json() == {"success": True, "count": 1}


# --- Malformed requests ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/api/nothing", "/api/", "/api/video/batches/not-an-id", "/api/video/batches/", "/api/auth/login/"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_an_address_that_is_not_there_is_a_json_404(
    client_of_user: APIClient, method: str, path: str
) -> None:
    assert_reason(client_of_user.generic(method, path, "{}", "application/json"), 404)


ANYTHING = UUID(int=0)


@pytest.mark.parametrize(
    "path",
    [
        "/api/user/profile",
        "/api/schema",
        "/api/schema?format=yaml",
        "/api/docs",
        "/media/a-b/batches/film.mp4",
        f"/media/a-b/archive/{ANYTHING}",
        f"/media/a-b/upload/{ANYTHING}/1",
        "/healthz",
        "/readyz",
        "/metrics",
        "/s/token",
        "/",
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "DELETE", "BREW"])
def test_a_method_that_is_not_there_is_a_json_405(client_of_user: APIClient, path: str, method: str) -> None:
    answer = client_of_user.generic(method, path)
    assert assert_reason(answer, 405)["code"] == "method_not_allowed"
    assert answer.headers["Allow"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/media/", 404),
        ("/media/a-b", 404),
        ("/media/a-b/../x", 403),
        ("/media/a-b/archive/no-id", 403),
        (f"/media/a-b/archive/{ANYTHING}?items=x", 403),
        ("/media/a-b/batches/film.mp4?" + "a=1&" * 1001 + "download=x", 403),
        ("/api/docs/", 404),
        ("/api/schema?format=nonsense", 404),
    ],
)
def test_what_plain_views_refuse_is_told_in_json(client_of_user: APIClient, path: str, status: int) -> None:
    assert_reason(client_of_user.get(path, headers={"accept": "text/html"}), status)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"1e999",
        b'{"username": NaN}',
        b"\xff\xfe",
        b'{"username": "\\ud800", "password": "x"}',
        b'{"username": "a\\u0000b", "password": "x"}',
        b'{"username": {"a": 1}, "password": ["x"]}',
        b'{"username": 12345678901234567890123456789, "password": true}',
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b'{"username": ' + b"1" * 10_000 + b', "password": "x"}',
    ],
    ids=range(15),
)
@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/refresh"])
def test_no_json_breaks_the_calls_that_need_no_token(db: None, path: str, body: bytes) -> None:
    client: Any = APIClient()
    answer = client.generic("POST", path, body, content_type="application/json")
    assert_reason(answer, 400, 401)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/octet-stream", "x"])
def test_a_content_type_that_is_not_understood_is_415(client_of_user: APIClient, content_type: str) -> None:
    answer = client_of_user.generic("POST", "/api/auth/login", "x", content_type=content_type)
    assert_reason(answer, 415)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\u00e9",
        f"multipart/form-data; boundary={'x' * 500}",
        "multipart/form-data; boundary=limit; charset=nonsense",
        "application/x-www-form-urlencoded; charset=nonsense",
        "application/json; charset=nonsense",
    ],
)
@pytest.mark.parametrize("path", ["/api/auth/login", "/api/video/batch"])
def test_a_body_that_cannot_be_read_is_400(client_of_user: Any, path: str, content_type: str) -> None:
    answer = client_of_user.generic("POST", path, b"--limit\r\nnonsense", content_type=content_type)
    assert_reason(answer, 400, 415)


def test_too_many_files_are_413(client_of_user: Any) -> None:
    part = b'--limit\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\nx\r\n'
    answer = client_of_user.generic(
        "POST",
        "/api/video/batch",
        part * 201 + b"--limit--\r\n",
        content_type="multipart/form-data; boundary=limit",
    )
    assert_reason(answer, 413)


@pytest.mark.parametrize("format_", ["multipart", "urlencoded"])
def test_too_many_fields_are_413(client_of_user: Any, format_: str) -> None:
    if format_ == "multipart":
        part = b'--limit\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
        body, content_type = part * 201 + b"--limit--\r\n", "multipart/form-data; boundary=limit"
    else:
        body, content_type = b"a=1&" * 201, "application/x-www-form-urlencoded"
    assert_reason(client_of_user.generic("POST", "/api/video/batch", body, content_type=content_type), 413)


def test_a_field_that_is_too_long_is_413(client_of_user: APIClient) -> None:
    body = {"name": "x" * 2_000_000}
    assert_reason(client_of_user.post("/api/video/batch", body, format="multipart"), 413)
    assert_reason(client_of_user.post("/api/auth/login", body, format="json"), 413, 400)


@pytest.mark.parametrize("field", ["name", "prompt"])
def test_nul_characters_are_refused(client_of_user: APIClient, field: str) -> None:
    body = {field: NUL}
    assert_reason(client_of_user.post("/api/video/batch", body, format="multipart"), 400)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=99999999999999999999999999",
        "limit=x",
        "offset=-1",
        "offset=99999999999999999999",
        "status=lost",
        "search=%00",
        "search=" + "x" * 300,
        "date_from=yesterday",
        "date_from=0001-01-01",
        "date_to=9999-12-31",
        "date_from=2026-02-30",
    ],
)
@pytest.mark.parametrize("path", ["/api/video/batches", "/api/admin/batches"])
def test_a_wrong_query_names_its_parameter(client_of_admin: APIClient, path: str, query: str) -> None:
    body = assert_reason(client_of_admin.get(f"{path}?{query}"), 400)
    assert query.partition("=")[0] in body["errors"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"new_credits": -1},
        {"new_credits": 10**30},
        {"new_credits": "many"},
        {"new_credits": 1.5},
        {"new_credits": 1, "delta": 1, "reason": "x"},
        {"delta": 0, "reason": "x"},
        {"delta": 5},
        {"delta": 5, "reason": NUL},
        {"delta": 5, "reason": "x" * 501},
        {"new_credits": None},
    ],
)
def test_wrong_changes_of_credits_are_refused(
    client_of_admin: APIClient, user: User, body: dict[str, Any]
) -> None:
    answer = client_of_admin.patch(f"/api/admin/users/{user.pk}/credits", body, format="json")
    assert_reason(answer, 400)
    user.refresh_from_db()
    assert user.credits == 100


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": ""},
        {"username": " "},
        {"username": "a b"},
        {"username": NUL},
        {"username": "x" * 151},
        {"username": "new", "credits": -1},
        {"username": "new", "credits": 10**12},
        {"username": "new", "password": "123"},
        {"username": "new", "is_admin": "perhaps"},
    ],
)
def test_wrong_users_are_refused(client_of_admin: APIClient, body: dict[str, Any]) -> None:
    assert_reason(client_of_admin.post("/api/admin/users", body, format="json"), 400)
    assert not User.objects.filter(username__in=["new", "a b"]).exists()


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "nonsense", "*/*;q=0"])
def test_the_answer_is_json_whatever_accept_says(client_of_user: APIClient, accept: str) -> None:
    answer = client_of_user.get("/api/user/profile", HTTP_ACCEPT=accept)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert_reason(client_of_user.get("/api/nothing", HTTP_ACCEPT=accept), 404)


def test_a_host_that_is_not_ours_is_refused_in_json(client_of_user: APIClient) -> None:
    assert_reason(client_of_user.get("/api/user/profile", HTTP_HOST="evil.example"), 400)


@pytest.mark.parametrize(("language", "word"), [("en", "no such batch"), ("zh-hans", "批次")])
def test_errors_speak_the_language_of_the_client(client_of_user: APIClient, language: str, word: str) -> None:
    answer = client_of_user.get(f"/api/video/batches/{uuid4()}", HTTP_ACCEPT_LANGUAGE=language)
    assert word in assert_reason(answer, 404)["detail"]


def test_an_unforeseen_error_is_logged_and_says_nothing_of_itself(
    client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("accounts.api.views.user_body", explode)
    body = assert_reason(client_of_user.get("/api/user/profile"), 500)
    assert body["code"] == "server_error"
    assert "secret of the house" not in json.dumps(body)
    assert "secret of the house" in caplog.text
