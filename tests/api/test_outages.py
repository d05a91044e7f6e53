"""What is away is a 503 that says when to come again: in the API, on the admin site, everywhere."""

import errno
import logging
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from django.db import InterfaceError, OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import Client
from rest_framework.test import APIClient

from zhiying.kernel.outages import Part, outage_of

AWAY = "connection to server at 10.0.0.1 failed: Connection refused\n\tIs the server running?"


def full_disk() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def slow_down() -> ClientError:
    return ClientError({"Error": {"Code": "SlowDown", "Message": "x"}}, "PutObject")


def wrapped(error: Exception) -> Exception:
    outer = ValueError("a library's own wrapping")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (OperationalError(AWAY), Part.DATABASE),
        (InterfaceError("connection already closed"), Part.DATABASE),
        (OperationalError("no such table: users"), None),
        (EndpointConnectionError(endpoint_url="http://s3"), Part.STORAGE),
        (slow_down(), Part.STORAGE),
        (ParamValidationError(report="a fault of ours"), None),
        (ConnectionRefusedError(), Part.STORAGE),
        (TimeoutError(), Part.STORAGE),
        (full_disk(), Part.DISK),
        (OSError(errno.EMFILE, "Too many open files"), Part.SYSTEM),
        (wrapped(full_disk()), Part.DISK),
        (FileNotFoundError(errno.ENOENT, "x"), None),
        (PermissionError(errno.EACCES, "x"), None),
        (ValueError("x"), None),
    ],
)
def test_outages_are_told_from_faults(error: Exception, part: Part | None) -> None:
    assert outage_of(error) == part


def no_database(*args: Any, **kwargs: Any) -> Any:
    raise OperationalError(AWAY)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/user/profile"),
        ("get", "/api/video/batches"),
        ("post", "/api/auth/login"),
        ("post", "/api/video/batch"),
        ("get", "/media/0-x/batches/y.jpg"),
    ],
)
def test_without_the_database_the_api_answers_503_in_json(
    client_of_user: APIClient, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"username": "anna", "password": "x"} if method == "post" else None
    with mock.patch.object(CursorWrapper, "execute", no_database), caplog.at_level(logging.ERROR):
        answer = getattr(client_of_user, method)(path, body)
    if path.startswith("/media/"):
        assert answer.status_code in {403, 404}, "an address that nobody signed needs no database"
        return
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
    assert answer.json()["part"] == "database"
    assert int(answer.headers["Retry-After"]) > 0
    assert caplog.text.count("database away") == 1
    assert "Traceback" not in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_without_the_database_the_admin_site_shows_a_page_of_ours(
    language: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "x" * 32
    with mock.patch.object(CursorWrapper, "execute", no_database), caplog.at_level(logging.ERROR):
        answer = client.get("/admin/", headers={"Accept-Language": language})
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")
    assert int(answer.headers["Retry-After"]) > 0
    page = answer.content.decode()
    assert ("Try again" if language == "en" else "重试") in page
    assert "Connection refused" not in page
    assert "Traceback" not in caplog.text


@pytest.mark.django_db
def test_a_full_disk_is_no_fault_of_the_client(client_of_user: APIClient) -> None:
    with mock.patch("videos.api.views.BatchListView.get", side_effect=full_disk()):
        answer = client_of_user.get("/api/video/batches")
    assert (answer.status_code, answer.json()["part"]) == (503, "disk")


@pytest.mark.django_db
def test_a_fault_of_ours_stays_a_500_with_its_traceback_in_the_log(
    client_of_user: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    with mock.patch("videos.api.views.BatchListView.get", side_effect=ValueError("a fault")):
        answer = client_of_user.get("/api/video/batches")
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert "ValueError: a fault" in caplog.text
