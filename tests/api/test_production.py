"""Unsafe production settings are named before anything is served."""

import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tests.plugins.environment import ROOT
from tests.support.live import clean_environment
from zhiying.checks import production_settings

GOOD_KEY = secrets.token_urlsafe(64)
SAFE: dict[str, Any] = {
    "PRODUCTION": True,
    "DEBUG": False,
    "SECRET_KEY": GOOD_KEY,
    "JWT_SIGNING_KEY": GOOD_KEY,
    "MEDIA_SIGNING_KEY": GOOD_KEY,
    "ALLOWED_HOSTS": ["video.example.com"],
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "BROKER_URL": "memory://",
}
UNSAFE_ENVIRONMENT = {
    "PRODUCTION": "true",
    "ALLOWED_HOSTS": "*",
    "DATABASE_URL": "postgresql://zhiying:secret@db.example.com/zhiying",
    "BROKER_URL": "amqp://zhiying:secret@broker.example.com/%2F",
}


def problems(settings: LazySettings, **values: Any) -> list[str | None]:
    for name, value in {**SAFE, **values}.items():
        setattr(settings, name, value)
    found = list(production_settings(None))
    assert all(message.hint for message in found)
    return [message.id for message in found]


def test_safe_settings_have_no_problem(settings: LazySettings) -> None:
    assert problems(settings) == []


def test_the_embedded_default_is_exempt(settings: LazySettings) -> None:
    assert problems(settings, PRODUCTION=False, DEBUG=True, SECRET_KEY="x") == []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"DEBUG": True}, "E001"),
        ({"SECRET_KEY": "short"}, "E002"),
        ({"SECRET_KEY": "a" * 64}, "E002"),
        ({"SECRET_KEY": "change-me-" * 8}, "E002"),
        ({"JWT_SIGNING_KEY": "short"}, "E003"),
        ({"MEDIA_SIGNING_KEY": "short"}, "E004"),
        ({"ALLOWED_HOSTS": []}, "E005"),
        ({"ALLOWED_HOSTS": ["*"]}, "E005"),
        ({"ALLOWED_HOSTS": ["video.example.com", "*.example.com"]}, "E005"),
        ({"SESSION_COOKIE_SECURE": False}, "E006"),
        ({"CSRF_COOKIE_SECURE": False}, "E006"),
    ],
)
def test_each_unsafe_setting_is_named(settings: LazySettings, values: dict[str, Any], problem: str) -> None:
    assert problems(settings, **values) == [f"zhiying.{problem}"]


def test_workers_elsewhere_cannot_share_a_database_file(settings: LazySettings) -> None:
    settings.DATABASES["default"]["ENGINE"], engine = (
        "django.db.backends.sqlite3",
        settings.DATABASES["default"]["ENGINE"],
    )
    try:
        assert problems(settings, BROKER_URL="amqp://broker.example.com") == ["zhiying.E007"]
    finally:
        settings.DATABASES["default"]["ENGINE"] = engine


def start(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start a process of the application the way an operator does."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=clean_environment(DATA_DIR=str(folder), **variables),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_wsgi_server_and_commands_refuse_to_start_with_unsafe_settings(tmp_path: Path) -> None:
    """Nothing is set that has to be: even the missing key is named, by us."""
    for words in (["-c", "import zhiying.wsgi"], ["manage.py", "rundramatiq"]):
        refused = start(tmp_path, *words, **UNSAFE_ENVIRONMENT)
        assert refused.returncode != 0
        assert "zhiying.E002" in refused.stderr
        assert "SECRET_KEY is missing, too short" in refused.stderr
        assert "ALLOWED_HOSTS" in refused.stderr


def test_secrets_of_the_embedded_default_are_made_once_and_kept_private(tmp_path: Path) -> None:
    show = "import zhiying.settings as s; print(s.SECRET_KEY, s.JWT_SIGNING_KEY, s.MEDIA_SIGNING_KEY)"
    first, second = start(tmp_path, "-c", show).stdout, start(tmp_path, "-c", show).stdout
    assert first == second
    assert len(set(first.split())) == 3
    assert min(len(secret) for secret in first.split()) >= 64
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
