"""Secrets given as files: they work as values do, and are in no process's environment."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.plugins.environment import ROOT
from tests.servers.process import LOOPBACK
from tests.servers.topology import HOST_NAME, Topology
from tests.support.live import clean_environment
from tests.system.test_many_machines import fresh_database

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("topology")]

TIMEOUT_S = 60
SECRETS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "JWT_SIGNING_KEY",
    "JWT_SIGNING_KEY_FALLBACKS",
    "MEDIA_SIGNING_KEY",
    "MEDIA_SIGNING_KEY_FALLBACKS",
    "METRICS_TOKEN",
    "ENGINE_CREDENTIAL",
    "ADMIN_PASSWORD",
    "DATABASE_URL",
    "BROKER_URL",
)
FOR_OTHERS = {"POSTGRES_PASSWORD", "RABBITMQ_PASSWORD"}
"""What the compose file's other services are told."""


class SecretFiles(Topology):
    """An installation whose secrets are files."""

    def environment(self, service: str, number: int = 1) -> dict[str, str]:
        told = super().environment(service, number)
        for name in SECRETS:
            if value := told.pop(name):  # setup alone is told the administrator's password
                file = self.folder / name.lower()
                file.write_text(f"{value}\n")
                told[f"{name}_FILE"] = str(file)
        return {name: value for name, value in told.items() if name not in FOR_OTHERS}


@pytest.fixture
def topology(postgres_url: str, redis_url: str, tmp_path: Path) -> Iterator[SecretFiles]:
    generated = {
        name: secrets.token_urlsafe(48)
        for name in SECRETS
        if name not in {"ADMIN_PASSWORD", "DATABASE_URL", "BROKER_URL"}
    }
    with fresh_database(postgres_url) as database:
        yield SecretFiles(tmp_path, database, redis_url, extra=generated)


def family(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    master = psutil.Process(process.pid)
    return [master, *master.children(recursive=True)]


def initial_environment(process: psutil.Process) -> str:
    """As the kernel shows it; servers hide it from their own user, so that only root sees anything."""
    try:
        return Path(f"/proc/{process.pid}/environ").read_bytes().decode()
    except PermissionError:
        return ""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_process_has_a_secret_in_its_environment(topology: SecretFiles) -> None:
    topology.setup()
    with topology.service("web") as web, topology.service("worker") as worker:
        values = [(topology.folder / name.lower()).read_text().strip() for name in SECRETS]
        assert all(len(value) > 10 for value in values)
        for process in (web, worker):
            members = family(process)
            assert len(members) > 1, "a master and its processes"
            seen = [initial_environment(member) for member in members]
            if os.geteuid() == 0:
                assert all("SECRET_KEY_FILE=" in text for text in seen), "nothing was there to be looked at"
            assert [value for value in values if any(value in text for text in seen)] == []
        origin = f"http://{LOOPBACK}:{topology.web_ports[0]}"
        headers = {"Host": HOST_NAME}
        answer = requests.post(
            f"{origin}/api/auth/login",
            json={"username": "admin", "password": topology.admin_password},
            headers=headers,
            timeout=TIMEOUT_S,
        )
        assert answer.status_code == 200, answer.text
        token = (topology.folder / "metrics_token").read_text().strip()
        for sent, status in ((token, 200), (f"{token}x", 403)):
            figures = requests.get(
                f"{origin}/metrics", headers={**headers, "Authorization": f"Bearer {sent}"}, timeout=TIMEOUT_S
            )
            assert figures.status_code == status


# --- Settings ---------------------------------------------------------------------------------------


def settings(names: list[str], folder: Path, **variables: str) -> dict[str, object]:
    """What the settings become."""
    code = f"import json, zhiying.settings as s; print(json.dumps({{n: getattr(s, n) for n in {names}}}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=clean_environment(DATA_DIR=str(folder), **variables),
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_last_newline_of_a_file_is_no_part_of_a_secret(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 64 + "\n")
    found = settings(["SECRET_KEY"], tmp_path, SECRET_KEY_FILE=str(tmp_path / "key"))
    assert found == {"SECRET_KEY": "k" * 64}


@pytest.mark.parametrize("text", ["old,older\n", "old\nolder\n", "old, older", "old\r\n\r\nolder\r\n"])
def test_earlier_keys_may_be_a_file(tmp_path: Path, text: str) -> None:
    names = ("SECRET_KEY", "JWT_SIGNING_KEY", "MEDIA_SIGNING_KEY")
    file = tmp_path / "earlier"
    file.write_bytes(text.encode())
    found = settings(
        ["SECRET_KEY_FALLBACKS", "JWT_SIGNING_KEYS", "MEDIA_SIGNING_KEYS"],
        tmp_path,
        **dict.fromkeys(names, "new"),
        **{f"{name}_FALLBACKS_FILE": str(file) for name in names},
    )
    assert found["SECRET_KEY_FALLBACKS"] == ["old", "older"]
    for keys in (found["JWT_SIGNING_KEYS"], found["MEDIA_SIGNING_KEYS"]):
        assert isinstance(keys, list)
        assert keys[:3] == ["new", "old", "older"]
        assert len(keys) == 6, "and those that are derived from each SECRET_KEY"


def test_other_lists_may_be_files_and_empty_ones_mean_the_default(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("a.example.com\nb.example.com\n")
    found = settings(
        ["ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS"],
        tmp_path,
        ALLOWED_HOSTS_FILE=str(tmp_path / "hosts"),
        CSRF_TRUSTED_ORIGINS="",
        CORS_ALLOWED_ORIGINS="",
        PUBLIC_URL="https://a.example.com",
    )
    assert found == {
        "ALLOWED_HOSTS": ["a.example.com", "b.example.com"],
        "CSRF_TRUSTED_ORIGINS": ["https://a.example.com"],
        "CORS_ALLOWED_ORIGINS": [],
    }
