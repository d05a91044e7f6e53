"""Real servers stop reading what is too large or comes from nobody, by raw sockets."""

import contextlib
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.plugins.environment import ROOT
from tests.servers.process import LOOPBACK, free_port, running
from tests.support.live import Platform, answers, clean_environment, serving
from tests.support.media import image_bytes, wav_bytes

HUGE = 500_000_000
READ_AT_MOST = 20_000_000
"""What the buffers of both ends may hold."""
PIECE = b"x" * 65_536
TIMEOUT_S = 20


@contextlib.contextmanager
def _gunicorn(data: Path) -> Iterator[Platform]:
    """One process of the production server on a database that `serve` has made."""
    port = free_port()
    origin = f"http://{LOOPBACK}:{port}"
    words = ["-m", "gunicorn", "zhiying.wsgi:application", "--bind", f"{LOOPBACK}:{port}"]
    words += ["--worker-class", "gthread", "--threads", "4", "--keep-alive", "75", "--chdir", str(ROOT)]
    log = data.parent / "gunicorn.log"
    with running(
        [sys.executable, *words],
        ready=lambda: answers(origin),
        log=log,
        environment=clean_environment(DATA_DIR=str(data)),
        timeout_s=120,
    ) as process:
        yield Platform(origin, process, log)


@pytest.fixture(scope="module", params=["embedded", "gunicorn"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    data = tmp_path_factory.mktemp(request.param) / "data"
    with serving(data, WORKER_THREADS="1") as served:
        if request.param == "embedded":
            yield served
            return
    with _gunicorn(data) as served:
        yield served


def send(platform: Platform, head: str, *, chunked: bool = False) -> tuple[int, int, dict[str, object]]:
    """Send a body without end; returns status, how much the server took, and what it said."""
    address = urlsplit(platform.origin)
    assert address.hostname
    assert address.port
    taken = 0
    with socket.create_connection((address.hostname, address.port), timeout=TIMEOUT_S) as connection:
        connection.sendall(f"{head}\r\nHost: {address.netloc}\r\n\r\n".encode())
        connection.setblocking(False)
        answer = b""
        idle = 0
        while taken < HUGE and idle < TIMEOUT_S * 10:
            piece = b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if chunked else PIECE
            try:
                taken += connection.send(piece)
            except BlockingIOError:
                idle += 1
            except (BrokenPipeError, ConnectionResetError):
                break
            if answer := answer or _arrived(connection):
                break
        connection.settimeout(TIMEOUT_S)
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            while b"}" not in answer and (more := connection.recv(65_536)):
                answer += more
    status, body = answer.split(b"\r\n", 1)[0].split()[1], answer[answer.index(b"{") :]
    return int(status), taken, json.loads(body[: body.rindex(b"}") + 1])


def _arrived(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except BlockingIOError:
        return b""


CALLS = [
    ("/api/auth/login", "application/json", 413),
    ("/api/auth/login", "multipart/form-data; boundary=x", 413),
    ("/admin/login/", "application/x-www-form-urlencoded", 413),
    ("/api/video/batch", "multipart/form-data; boundary=x", 401),
]


@pytest.mark.parametrize(("path", "content_type", "status"), CALLS)
def test_a_huge_body_is_not_read(platform: Platform, path: str, content_type: str, status: int) -> None:
    head = f"POST {path} HTTP/1.1\r\nContent-Type: {content_type}\r\nContent-Length: {HUGE}"
    got, taken, body = send(platform, head)
    assert (got, taken < READ_AT_MOST) == (status, True), (taken, body)
    assert body["detail"]


@pytest.mark.parametrize(("path", "content_type", "status"), CALLS)
def test_a_body_of_unknown_length_is_not_read_for_ever(
    platform: Platform, path: str, content_type: str, status: int
) -> None:
    head = f"POST {path} HTTP/1.1\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked"
    got, taken, body = send(platform, head, chunked=True)
    assert got in {status, 411}
    assert taken < READ_AT_MOST
    assert body["detail"]


def test_a_batch_still_arrives(platform: Platform) -> None:
    api = platform.login()
    assert api.submit({"a.jpg": image_bytes()}, wav_bytes())
