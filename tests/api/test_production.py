"""Unsafe production settings are named before anything is served."""

import json
import secrets
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from tests.plugins.environment import DOCUMENTED_VARIABLES, ROOT, documented_variables, missing
from tests.support.live import clean_environment
from zhiying.checks import metrics_of_workers, numbers_in_bounds, production_settings, threads_for_all
from zhiying.management.commands import migrate

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
    "PUBLIC_URL": "https://video.example.com",
    "NUM_PROXIES": 1,
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


@pytest.mark.parametrize(
    ("host", "port", "token", "found"),
    [
        ("10.0.0.5", 9100, "", ["zhiying.E021"]),
        ("10.0.0.5", 9100, "a-token", []),
        ("10.0.0.5", 0, "", []),
        ("127.0.0.1", 9100, "", []),
    ],
)
def test_workers_figures_are_not_for_everybody(
    settings: LazySettings, host: str, port: int, token: str, found: list[str]
) -> None:
    settings.WORKER_METRICS_HOST, settings.WORKER_METRICS_PORT = host, port
    settings.METRICS_TOKEN = token
    assert [problem.id for problem in metrics_of_workers(None)] == found


@pytest.mark.parametrize(
    ("name", "value"),
    [("RETENTION_DAYS", 36_501), ("RETENTION_DAYS", -1), ("QUOTA_MB", 10**10), ("LEASE_S", float("nan"))],
)
def test_a_number_that_nothing_could_be_computed_with_is_named(
    settings: LazySettings, name: str, value: float
) -> None:
    assert list(numbers_in_bounds(None)) == []
    setattr(settings, name, value)
    (problem,) = numbers_in_bounds(None)
    assert problem.id == "zhiying.E024"
    assert name in problem.msg


@pytest.mark.parametrize(("threads", "found"), [(0, ["zhiying.E025"]), (3, ["zhiying.E025"]), (4, [])])
def test_a_process_with_too_few_threads_is_refused(
    settings: LazySettings, threads: int, found: list[str]
) -> None:
    settings.WEB_THREADS = threads
    assert [problem.id for problem in threads_for_all(None)] == found


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
        ({"NUM_PROXIES": 0}, "E008"),
    ],
)
def test_each_unsafe_setting_is_named(settings: LazySettings, values: dict[str, Any], problem: str) -> None:
    assert problems(settings, **values) == [f"zhiying.{problem}"]


@pytest.mark.django_db
def test_a_release_with_unsafe_settings_is_not_set_up(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert problems(settings, DEBUG=True)
    begun: list[str] = []
    monkeypatch.setattr(migrate.Command, "handle", lambda self, **options: begun.append("migrate"))
    with pytest.raises(SystemCheckError, match=r"zhiying\.E001"):
        call_command("setup")
    assert begun == []


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
    for words in (["-c", "import zhiying.wsgi"], ["manage.py", "work"]):
        refused = start(tmp_path, *words, **UNSAFE_ENVIRONMENT)
        assert refused.returncode != 0
        assert "zhiying.E002" in refused.stderr
        assert "SECRET_KEY is missing, too short" in refused.stderr
        assert "ALLOWED_HOSTS" in refused.stderr


SHOW_ALL = (
    "import json, zhiying.settings as s; "
    "shown = {name: getattr(s, name) for name in dir(s) if name.isupper()}; "
    "shown['LOGGING'].pop('formatters'); del shown['LANGUAGES']; "  # no values, and not of the environment
    "print(json.dumps({name: repr(value) for name, value in shown.items()}))"
)


def all_settings(**variables: str) -> dict[str, str]:
    environment = {"FACE_CHECK": "1", "SECRET_KEY": GOOD_KEY, **variables}  # a key makes no folder for one
    found = subprocess.run(
        [sys.executable, "-c", SHOW_ALL],
        cwd=ROOT,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    settings: dict[str, str] = json.loads(found.stdout)
    return settings


@pytest.mark.parametrize("others", [{}, {"PUBLIC_URL": "https://video.example.com", "NUM_PROXIES": "1"}])
def test_an_empty_variable_is_as_good_as_none(others: dict[str, str]) -> None:
    """Whatever is documented; a server that everybody reaches is not somebody's own machine for it."""
    documented = documented_variables(DOCUMENTED_VARIABLES.read_text())
    assert {"PRODUCTION", "LOG_FORMAT", "EMAIL_PORT", "DATA_DIR"} <= documented
    empty = {**dict.fromkeys(documented - {"SECRET_KEY"}, ""), **others}
    assert all_settings(**empty) == all_settings(**others)


def test_an_empty_file_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    assert all_settings(LOG_FORMAT_FILE=str(tmp_path / "empty")) == all_settings()


def test_secrets_of_the_embedded_default_are_made_once_and_kept_private(tmp_path: Path) -> None:
    show = "import zhiying.settings as s; print(s.SECRET_KEY, s.JWT_SIGNING_KEY, s.MEDIA_SIGNING_KEY)"
    first, second = start(tmp_path, "-c", show).stdout, start(tmp_path, "-c", show).stdout
    assert first == second
    assert len(set(first.split())) == 3
    assert min(len(secret) for secret in first.split()) >= 64
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


SHOW = (
    "import json, zhiying.wsgi; from django.conf import settings as s; print(json.dumps([s.PRODUCTION, "
    "s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0, s.ALLOWED_HOSTS]))"
)


@pytest.mark.parametrize(
    "variables",
    [
        {"PUBLIC_URL": "https://video.example.com", "NUM_PROXIES": "1"},
        {"PUBLIC_URL": "https://video.example.com:8443", "NUM_PROXIES": "2", "ALLOWED_HOSTS": ""},
        {"NUM_PROXIES": "1", "ALLOWED_HOSTS": "video.example.com"},
    ],
)
def test_one_machine_behind_a_proxy_is_production_and_starts_as_simply(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    """No database, no broker, no key to be thought of; and everything that a public server needs."""
    started = start(tmp_path, "-c", SHOW, **variables)
    assert started.returncode == 0, started.stderr
    assert json.loads(started.stdout) == [True, True, True, True, ["video.example.com"]]
    assert (tmp_path / "secret_key").exists()


def test_somebodys_own_machine_is_not_production(tmp_path: Path) -> None:
    started = start(tmp_path, "-c", SHOW)
    assert json.loads(started.stdout)[:4] == [False] * 4


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"PUBLIC_URL": "https://video.example.com"}, "zhiying.E008"),
        ({"NUM_PROXIES": "1"}, "zhiying.E005"),
        ({"PUBLIC_URL": "https://video.example.com", "NUM_PROXIES": "1", "DEBUG": "true"}, "zhiying.E001"),
        ({"PUBLIC_URL": "https://video.example.com", "NUM_PROXIES": "1", "HTTPS": "false"}, "zhiying.E006"),
    ],
)
def test_what_a_proxied_machine_lacks_is_named_at_its_start(
    tmp_path: Path, variables: dict[str, str], problem: str
) -> None:
    refused = start(tmp_path, "manage.py", "serve", "--port", "1", **variables)
    assert refused.returncode != 0
    assert problem in refused.stderr


def test_a_wsgi_server_runs_every_check_not_only_those_of_security(tmp_path: Path) -> None:
    """A check of another kind that fails, and one for deployment only."""
    code = (
        "import django; from django.core import checks\n"
        "checks.register(lambda **_: [checks.Error('broken model', id='t.E1')], checks.Tags.models)\n"
        "checks.register(lambda **_: [checks.Error('unsafe', id='t.E2')], 'other', deploy=True)\n"
        "import zhiying.wsgi"
    )
    refused = start(tmp_path, "-c", code, PUBLIC_URL="https://video.example.com", NUM_PROXIES="1")
    assert refused.returncode != 0
    assert "t.E1" in refused.stderr
    assert "t.E2" in refused.stderr


def test_web_processes_without_a_broker_refuse_to_start(tmp_path: Path) -> None:
    refused = start(tmp_path, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", PORT="1")
    assert refused.returncode != 0
    assert "BROKER_URL is not set" in refused.stderr


BIND = (
    "facts = {'__file__': 'deploy/gunicorn.conf.py'}; exec(open(facts['__file__']).read(), facts); "
    "print(facts['bind'])"
)


@pytest.mark.parametrize(
    ("host", "bind"), [("::", "[::]:8000"), ("::1", "[::1]:8000"), ("10.0.0.5", "10.0.0.5:8000")]
)
def test_web_processes_listen_at_addresses_of_either_kind(tmp_path: Path, host: str, bind: str) -> None:
    assert start(tmp_path, "-c", BIND, HOST=host, TMPDIR=str(tmp_path)).stdout.strip() == bind


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()


class Server6(HTTPServer):
    address_family = socket.AF_INET6


@pytest.mark.parametrize("host", ["::", "::1"])
def test_a_health_check_asks_where_the_web_processes_listen(tmp_path: Path, host: str) -> None:
    try:
        server = Server6(("::1", 0), Healthy)
    except OSError:
        missing("IPv6 is not available")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        environment = clean_environment(HOST=host, PORT=str(server.server_port))
        subprocess.run([ROOT / "deploy" / "web", "alive"], env=environment, check=True, timeout=60)
    finally:
        server.shutdown()
        server.server_close()
