"""Clients that fetch without reading hold no thread that probes need, and leave what they held."""

import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from django.conf import settings

from tests.plugins.environment import ROOT
from tests.servers.process import LOOPBACK, free_port, running, wait_until
from tests.support.commands import clean_environment, manage
from tests.support.live import START_TIMEOUT_S, answers
from videos.store.urls import media_path

pytestmark = [pytest.mark.slow]

THREADS = 4
CLIENTS = 2 * THREADS
FILM = "batches/film.mp4"
FILM_BYTES = 64_000_000
"""More than any system keeps of an answer that nobody reads."""
TIMEOUT_S = 60
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"


@pytest.mark.parametrize("headers", ["", "Range: bytes=1-\r\n"], ids=["by the system", "by the thread"])
def test_probes_answer_beside_downloads_that_nobody_reads(tmp_path: Path, headers: str) -> None:
    port, data = free_port(), tmp_path / "data"
    origin = f"http://{LOOPBACK}:{port}"
    environment = clean_environment(
        DATA_DIR=str(data),
        BROKER_URL="redis://127.0.0.1:1/0",
        WEB_PROCESSES="1",
        WEB_THREADS=str(THREADS),
        PORT=str(port),
        SECRET_KEY=KEY,
        MEDIA_SIGNING_KEY=settings.MEDIA_SIGNING_KEY,
        PRODUCTION="false",
    )
    subprocess.run(manage("setup"), env=environment, check=True, capture_output=True, timeout=TIMEOUT_S)
    (data / "media" / FILM).parent.mkdir(parents=True, exist_ok=True)
    with (data / "media" / FILM).open("wb") as film:
        film.truncate(FILM_BYTES)
    request = f"GET {media_path(FILM)} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\n{headers}\r\n".encode()

    def status(path: str) -> int:
        return requests.get(f"{origin}{path}", timeout=TIMEOUT_S).status_code

    with running(
        [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"],
        ready=lambda: answers(origin),
        log=tmp_path / "log",
        environment=environment,
        cwd=ROOT,
        timeout_s=START_TIMEOUT_S,
    ):
        with ExitStack() as downloads:
            for _ in range(CLIENTS):
                client = downloads.enter_context(socket.create_connection((LOOPBACK, port), TIMEOUT_S))
                client.sendall(request)
            for path in ("/healthz", "/readyz", "/"):
                assert status(path) == 200
            wait_until(lambda: status("/api/user/profile") == 503, timeout_s=TIMEOUT_S, what="a refusal")
            assert status("/healthz") == 200
        wait_until(lambda: status("/api/user/profile") == 401, timeout_s=TIMEOUT_S, what="the end of it")
