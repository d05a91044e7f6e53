"""What each call may send is declared by its view and enforced before the body is read."""

from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.test import APIClient

from tests.api.forms import CREATE, form
from zhiying.kernel.body_limits import DEFAULT_BODY_BYTES, SMALL_BODY_BYTES, BodyLimit, limit_of

pytestmark = pytest.mark.django_db

MAY_BE_LARGE = {"api/video/batch", "api/video/batches/<uuid:batch_id>/items/<uuid:item_id>/replace"}
PART = "media/<str:token>/upload/<uuid:key>/<int:number>"
"""Bytes of one part of an upload, which are no form."""
ANYBODYS = ("/api/auth/login", "/api/auth/refresh", "/api/user/change-password")


class Unreadable:
    """A body that must not be touched."""

    def read(self, *args: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def post_unread(client: Any, path: str, length: int, content_type: str, **headers: str) -> Any:
    environ = {"CONTENT_LENGTH": str(length), "wsgi.input": Unreadable()}
    return client.generic("POST", path, content_type=content_type, **environ, **headers)


def all_limits() -> dict[str, BodyLimit]:
    found: dict[str, BodyLimit] = {}

    def walk(patterns: Any, prefix: str) -> None:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, path)
            elif isinstance(pattern, URLPattern):
                found[path] = limit_of(pattern.callback)

    walk(get_resolver().url_patterns, "")
    return found


def test_only_calls_that_take_files_may_be_large() -> None:
    limits = all_limits()
    part = limits.pop(PART)
    assert part.plain_bytes == settings.UPLOAD_PART_BYTES + DEFAULT_BODY_BYTES
    large = {path for path, limit in limits.items() if limit.form_bytes > DEFAULT_BODY_BYTES}
    assert large == MAY_BE_LARGE
    assert all(limit.plain_bytes <= DEFAULT_BODY_BYTES for limit in limits.values())


@pytest.mark.parametrize("path", ANYBODYS)
@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x"])
def test_what_anybody_may_call_takes_little(client_of_user: APIClient, path: str, content_type: str) -> None:
    answer = post_unread(client_of_user, path, SMALL_BODY_BYTES + 1, content_type)
    assert answer.status_code == 413
    assert answer.json()["code"] == "request_too_large"


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x"]
)
def test_a_page_of_the_admin_site_takes_no_more_than_a_form(client: Client, content_type: str) -> None:
    path = reverse("admin:login")
    assert post_unread(client, path, DEFAULT_BODY_BYTES + 1, content_type).status_code == 413


def test_a_large_body_is_read_for_a_form_with_files_only(client_of_user: APIClient) -> None:
    answer = post_unread(client_of_user, CREATE, DEFAULT_BODY_BYTES + 1, "application/json")
    assert answer.status_code == 413


def test_files_of_whoever_is_not_logged_in_are_not_read() -> None:
    answer = post_unread(APIClient(), CREATE, 10**8, "multipart/form-data; boundary=x")
    assert answer.status_code == 401


def test_a_body_of_unknown_length_is_not_read(client_of_user: APIClient) -> None:
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": Unreadable(), "CONTENT_LENGTH": ""}
    answer = client_of_user.generic("POST", CREATE, **environ)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


def test_a_file_where_none_belongs_is_refused(client: Client) -> None:
    body = {"username": "x", "password": "y", "extra": SimpleUploadedFile("a.jpg", b"x")}
    answer = client.post("/api/auth/login", body)
    assert (answer.status_code, answer.json()["code"]) == (415, "files_not_accepted")


def test_a_file_sent_to_a_page_is_read_over(client: Client) -> None:
    body = {"username": "x", "password": "y", "extra": SimpleUploadedFile("a.jpg", b"x")}
    assert client.post(reverse("admin:login"), body).status_code == 200


def test_a_batch_is_still_taken(client_of_user: APIClient) -> None:
    assert client_of_user.post(CREATE, form(), format="multipart").status_code == 201
