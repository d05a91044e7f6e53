"""Clients that fetch without reading hold no thread that probes need, and leave what they held."""

import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings

from tests.servers.process import wait_until
from tests.support.live import web_process
from videos.store.urls import media_path

pytestmark = [pytest.mark.slow]

THREADS = 4
CLIENTS = 2 * THREADS
FILM = "batches/film.mp4"
FILM_BYTES = 64_000_000
"""More than any system keeps of an answer that nobody reads."""
TIMEOUT_S = 60


@pytest.mark.parametrize("headers", ["", "Range: bytes=1-\r\n"], ids=["by the system", "by the thread"])
def test_probes_answer_beside_downloads_that_nobody_reads(tmp_path: Path, headers: str) -> None:
    film = tmp_path / "data" / "media" / FILM

    def status(path: str) -> int:
        return requests.get(f"{origin}{path}", timeout=TIMEOUT_S).status_code

    key = settings.MEDIA_SIGNING_KEY
    with web_process(tmp_path, threads=THREADS, MEDIA_SIGNING_KEY=key) as origin:
        film.parent.mkdir(parents=True, exist_ok=True)
        with film.open("wb") as file:
            file.truncate(FILM_BYTES)
        host = urlsplit(origin)
        request = f"GET {media_path(FILM)} HTTP/1.1\r\nHost: {host.netloc}\r\n{headers}\r\n".encode()
        with ExitStack() as downloads:
            for _ in range(CLIENTS):
                address = (host.hostname, host.port)
                client = downloads.enter_context(socket.create_connection(address, TIMEOUT_S))
                client.sendall(request)
            for path in ("/healthz", "/readyz", "/"):
                assert status(path) == 200
            wait_until(lambda: status("/api/user/profile") == 503, timeout_s=TIMEOUT_S, what="a refusal")
            assert status("/healthz") == 200
        wait_until(lambda: status("/api/user/profile") == 401, timeout_s=TIMEOUT_S, what="the end of it")
