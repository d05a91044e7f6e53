"""Reports to Sentry, taken by a stand-in: what is in them, and what must not be."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tests.plugins.environment import ROOT
from tests.standins.observers import Sentry
from tests.support.live import clean_environment
from tests.support.migrated import migrated_sqlite
from zhiying import checks

SECRET_KEY = "one-secret-key-of-64-characters-and-more-0123456789-abcdefghijkl"
PRIVATE = [
    "alice@example.com",
    "my-own-password",
    "203.0.113.77",
    "a-cookie-of-hers",
    "a-query-of-hers",
    "a-token-that-lets-her-in",
    SECRET_KEY,
]
"""What a request and its fault hold of a person, and of the installation."""

FAULTY = """
import logging
import django
django.setup()
from django.conf import settings
from django.test import Client
from accounts.api import views

def broken(self, request, *args, **kwargs):
    user = "alice@example.com"
    password = request.data["password"]
    raise RuntimeError(f"{user} {password} {settings.SECRET_KEY}")

for name in dir(views):
    view = getattr(views, name)
    if isinstance(view, type) and hasattr(view, "post"):
        view.post = broken
client = Client(raise_request_exception=False, SERVER_NAME="localhost", REMOTE_ADDR="203.0.113.77")
client.cookies["sessionid"] = "a-cookie-of-hers"
answer = client.post(
    "/api/auth/login?next=a-query-of-hers",
    {"username": "alice@example.com", "password": "my-own-password"},
    content_type="application/json",
    headers={"Authorization": "Token a-token-that-lets-her-in", "X-Request-ID": "the-request"},
)
assert answer.status_code == 500, answer.content
assert client.get("/api/user/profile", headers={"Host": "no such name!"}).status_code in (400, 421)
logging.getLogger("zhiying").error("The store is away: %s", "203.0.113.77")
"""
IMPORTED = """
import sys, django
django.setup()
import zhiying.wsgi, videos.tasks, videos.worker.runner
print([name for name in sys.modules if name.startswith(("opentelemetry.exporter", "sentry_sdk"))])
"""


def python(code: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A process of the application's own, with a database."""
    migrated_sqlite(folder / "data")
    environment = clean_environment(
        DJANGO_SETTINGS_MODULE="zhiying.settings",
        DATA_DIR=str(folder / "data"),
        SECRET_KEY=SECRET_KEY,
        PYTHONPATH=str(ROOT),
        **variables,
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def sentry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentry]:
    """A Sentry that was told of the faulty program's run, whose log lies in `log`."""
    folder = tmp_path_factory.mktemp("faulty")
    with Sentry().serving() as server:
        server.log = python(FAULTY, folder, SENTRY_DSN=server.dsn, SENTRY_ENVIRONMENT="here").stderr
        yield server


def test_a_fault_is_reported_with_its_place_and_our_ids(sentry: Sentry) -> None:
    (event,) = sentry.events()
    assert event["tags"] == {"request": "the-request"}
    assert (event["environment"], event["release"][:8]) == ("here", "zhiying@")
    raised: Any = event["exception"]["values"][-1]
    assert raised["type"] == "RuntimeError"
    assert raised["stacktrace"]["frames"][-1]["function"] == "broken"


def test_nothing_of_a_person_and_no_secret_leaves(sentry: Sentry) -> None:
    assert "alice@example.com" in sentry.log, "the text of the exception is in the log"
    sent = b"\n".join(sentry.sent()).decode()
    assert "RuntimeError" in sent
    assert [word for word in PRIVATE if word in sent] == []
    (event,) = sentry.events()
    assert not {"request", "user", "server_name", "contexts", "extra", "modules", "breadcrumbs"} & set(event)


def test_outages_and_what_clients_do_wrong_are_no_reports(sentry: Sentry) -> None:
    assert "The store is away" in sentry.log
    assert "DisallowedHost" in sentry.log
    assert len(sentry.events()) == 1


def test_a_sentry_that_is_away_hinders_nothing(tmp_path: Path) -> None:
    python(FAULTY, tmp_path, SENTRY_DSN="http://0123456789abcdef@127.0.0.1:9/1")


def test_what_is_off_is_not_even_imported(tmp_path: Path) -> None:
    assert python(IMPORTED, tmp_path).stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_a_setting_whose_packages_are_missing_is_refused(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    setattr(settings, name, "http://key@127.0.0.1:9/1")
    assert list(checks.packages_of_observers(None)) == []
    monkeypatch.setattr(checks, "find_spec", lambda package: None)
    assert [problem.id for problem in checks.packages_of_observers(None)] == ["zhiying.E022"]
