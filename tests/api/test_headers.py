"""What browsers are told: who may call and what may run."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from rest_framework.test import APIClient

ORIGIN = "https://app.example"


def preflight(path: str = "/api/video/batch") -> Any:
    return Client().options(
        path,
        HTTP_ORIGIN=ORIGIN,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization,idempotency-key,if-none-match",
    )


@pytest.mark.django_db
def test_no_other_origin_may_read_answers_by_default() -> None:
    assert "Access-Control-Allow-Origin" not in preflight().headers
    assert "Access-Control-Allow-Origin" not in Client().get("/api/user/profile", HTTP_ORIGIN=ORIGIN).headers


@pytest.mark.django_db
def test_configured_origins_may_call_and_read(settings: LazySettings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    answer = preflight()
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in ("authorization", "idempotency-key", "if-none-match"))
    assert all(name in answer.headers["Access-Control-Allow-Methods"] for name in ("PATCH", "DELETE"))
    actual = Client().get("/api/user/profile", HTTP_ORIGIN=ORIGIN)
    assert actual.status_code == 401
    assert actual.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Retry-After" in actual.headers["Access-Control-Expose-Headers"]
    assert (
        "Access-Control-Allow-Origin"
        not in Client().get("/api/user/profile", HTTP_ORIGIN="https://evil.example").headers
    )


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/login", "/admin/login/", "/api/user/profile", "/api/docs"])
def test_every_answer_forbids_foreign_scripts_and_frames(path: str) -> None:
    headers = Client().get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert "object-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_documentation_loads_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs").content.decode()
    assert "swagger-ui" in page
    assert "http://" not in page.replace("http://testserver", "")
    assert "https://" not in page


@pytest.mark.django_db
def test_the_api_needs_no_csrf_token_because_it_takes_no_cookie(client_of_user: APIClient) -> None:
    strict = Client(enforce_csrf_checks=True)
    body = {"username": "nobody", "password": "x"}
    assert strict.post("/api/auth/login", body).status_code == 401
