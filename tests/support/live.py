"""The platform as real processes, and a client that talks to it over HTTP."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import requests

from tests.plugins.environment import ROOT
from tests.servers.process import LOOPBACK, POLL_INTERVAL_S, free_port, running
from tests.support.commands import clean_environment as clean_environment
from tests.support.commands import manage as manage
from tests.support.migrated import migrated_sqlite

ADMIN_PASSWORD = "Correct-Horse-7"
SECRET_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"
START_TIMEOUT_S = 300
REQUEST_TIMEOUT_S = 300
FINISH_POLL_S = 0.2
"""Each answer costs the server what it then lacks for rendering."""
FINISHED = {"completed", "partial", "failed", "cancelled"}


@contextlib.contextmanager
def web_process(folder: Path, *, threads: int, **variables: str) -> Iterator[str]:
    """The address of one web process as in production, for an installation below `folder` without workers."""
    port = free_port()
    origin = f"http://{LOOPBACK}:{port}"
    environment = clean_environment(
        DATA_DIR=str(folder / "data"),
        BROKER_URL="redis://127.0.0.1:1/0",
        WEB_PROCESSES="1",
        WEB_THREADS=str(threads),
        PORT=str(port),
        SECRET_KEY=SECRET_KEY,
        PRODUCTION="false",
        **variables,
    )
    setup = manage("setup")
    subprocess.run(setup, env=environment, check=True, capture_output=True, timeout=START_TIMEOUT_S)
    with running(
        [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"],
        ready=lambda: answers(origin),
        log=folder / "log",
        environment=environment,
        cwd=ROOT,
        timeout_s=START_TIMEOUT_S,
    ):
        yield origin


@dataclass
class Platform:
    """A running server: where it is, its main process, and what it printed."""

    origin: str
    process: Popen[bytes]
    log: Path

    def login(self, username: str = "admin", password: str = ADMIN_PASSWORD) -> "Api":
        api = Api(self.origin)
        answer = api.call("POST", "/api/auth/login", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        api.session.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return api

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")


class Api:
    """An HTTP client of one user."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.session = requests.Session()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer, whatever its status; `path` may be an absolute URL."""
        url = path if path.startswith("http") else self.origin + path
        return self.session.request(method, url, timeout=REQUEST_TIMEOUT_S, **options)

    def get(self, path: str) -> Any:
        """The JSON of a successful GET."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, images: Mapping[str, bytes], audio: bytes, **fields: str) -> str:
        """Submit a batch; returns its id."""
        files = [("images", (name, content)) for name, content in images.items()]
        answer = self.call(
            "POST", "/api/video/batch", files=[*files, ("audio", ("speech.wav", audio))], data=fields
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["batch_id"])

    def batch(self, batch_id: str) -> Any:
        return self.get(f"/api/video/batches/{batch_id}")

    def wait(self, batch_id: str, *, timeout_s: float = 600) -> Any:
        """The batch once all its items are done."""
        return self.wait_for(
            batch_id, lambda batch: batch["status"] in FINISHED, timeout_s=timeout_s, every_s=FINISH_POLL_S
        )

    def wait_for(
        self,
        batch_id: str,
        condition: Any,
        *,
        timeout_s: float = 600,
        every_s: float = POLL_INTERVAL_S,
    ) -> Any:
        """Poll until the batch fulfils a condition; returns it."""
        deadline = time.monotonic() + timeout_s
        while not condition(batch := self.batch(batch_id)):
            assert batch["status"] not in FINISHED, _outline(batch)
            assert time.monotonic() < deadline, _outline(batch)
            time.sleep(every_s)
        return batch


def _outline(batch: Any) -> list[tuple[str, str, str]]:
    """What to say of a batch in a failure."""
    return [(item["status"], item["error_code"], item["error_msg"]) for item in batch["items"]]


def answers(origin: str, path: str = "/readyz") -> bool:
    with contextlib.suppress(requests.ConnectionError, requests.Timeout):
        return requests.get(f"{origin}{path}", timeout=5).status_code == 200
    return False


@contextlib.contextmanager
def serving(data_dir: Path, **variables: str) -> Iterator[Platform]:
    """`manage.py serve` on a free port, from ready until the block ends.

    A folder that is not there yet gets a migrated database.
    """
    if not data_dir.exists():
        migrated_sqlite(data_dir)
    port = free_port()
    origin = f"http://{LOOPBACK}:{port}"
    log = data_dir.parent / f"{data_dir.name}-{port}.log"
    environment = clean_environment(
        DATA_DIR=str(data_dir),
        PORT=str(port),
        ADMIN_PASSWORD=ADMIN_PASSWORD,
        **variables,
    )
    with running(
        manage("serve"),
        ready=lambda: answers(origin),
        log=log,
        environment=environment,
        timeout_s=START_TIMEOUT_S,
    ) as process:
        yield Platform(origin, process, log)
