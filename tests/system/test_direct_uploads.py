"""Direct uploads on real servers: memory stays flat, and slow lines do not keep others waiting."""

import contextlib
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import run
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.plugins.environment import ROOT
from tests.servers import S3Server
from tests.servers.process import LOOPBACK, free_port, running
from tests.support.live import (
    ADMIN_PASSWORD,
    START_TIMEOUT_S,
    Api,
    Platform,
    answers,
    clean_environment,
    manage,
    serving,
)
from tests.support.media import image_bytes, wav_bytes
from tests.system.test_large_uploads import GROWTH_LIMIT_BYTES, PeakMemory, noisy_jpeg

pytestmark = [pytest.mark.slow]

IMAGES = 25
"""Of ten megabytes each: by far more than may be held at once."""
PART_TIMEOUT_S = 60
SLOW_LINES = 100
THREADS = 8
ANSWER_LIMIT_S = 5
"""Far above what a poll takes on a busy machine, and far below what a waiting thread would cost."""


def announce(api: Api, *files: tuple[str, str, bytes]) -> list[dict[str, Any]]:
    body = [{"name": name, "content_type": kind, "size": len(data)} for name, kind, data in files]
    answer = api.call("POST", "/api/video/uploads", json={"files": body})
    assert answer.status_code == 201, answer.text
    uploads: list[dict[str, Any]] = answer.json()["uploads"]
    return uploads


def send(upload: dict[str, Any], data: bytes) -> None:
    for part in upload["parts"]:
        piece = data[part["offset"] : part["offset"] + part["size"]]
        answer = requests.put(part["url"], data=piece, headers=upload["headers"], timeout=PART_TIMEOUT_S)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("store", ["disk", "s3"])
def test_many_large_images_by_keys_do_not_fill_the_memory(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # What decoding takes is told by test_large_uploads.py.
    image, variables = noisy_jpeg(side=700), {"WORKER_THREADS": "1"}
    if store == "s3":
        s3: S3Server = request.getfixturevalue("s3_server")
        variables |= {
            "S3_BUCKET": s3.bucket,
            "S3_ENDPOINT_URL": s3.endpoint_url,
            "S3_ACCESS_KEY_ID": s3.access_key,
            "S3_SECRET_ACCESS_KEY": s3.secret_key,
            "S3_REGION": s3.region,
        }
    files = [(f"{number}.jpg", "image/jpeg", image) for number in range(IMAGES)]
    with serving(tmp_path / "data", **variables) as platform:
        api = platform.login()
        uploads = announce(api, *files, ("a.wav", "audio/wav", wav_bytes()))
        with PeakMemory(platform.process.pid) as memory:
            for upload in uploads[:-1]:
                send(upload, image)
            send(uploads[-1], wav_bytes())
            keys = [upload["key"] for upload in uploads]
            body = {"images": keys[:-1], "audio": keys[-1]}
            answer = api.call("POST", "/api/video/batch?dry_run=true", json=body)
            assert answer.status_code == 200, answer.text
        assert answer.json()["image_count"] == IMAGES
        assert memory.peak - memory.start < GROWTH_LIMIT_BYTES


@contextlib.contextmanager
def gunicorn(folder: Path) -> Iterator[Platform]:
    """One web process whose threads read bodies as they arrive, with no proxy that buffers them."""
    origin = f"http://{LOOPBACK}:{free_port()}"
    environment = clean_environment(
        DATA_DIR=str(folder / "data"),
        ADMIN_PASSWORD=ADMIN_PASSWORD,
        PRODUCTION="false",
        WEB_THREADS=str(THREADS),
    )
    (folder / "data").mkdir()
    for words in (["migrate", "--verbosity", "0"], ["create_admin", "admin"]):
        done = run(manage(*words), env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    log = folder / "web.log"
    bind = ["--bind", origin.removeprefix("http://"), "--chdir", str(ROOT)]
    with running(
        [sys.executable, "-m", "gunicorn", "zhiying.wsgi", *bind, "-k", "gthread", "--threads", str(THREADS)],
        ready=lambda: answers(origin),
        log=log,
        environment=environment,
        timeout_s=START_TIMEOUT_S,
    ) as process:
        yield Platform(origin, process, log)


def begin(origin: str, method: str, path: str, token: str, content_type: str) -> socket.socket:
    """A request whose body has begun and does not go on."""
    place = urlsplit(origin)
    line = socket.create_connection((place.hostname, place.port), timeout=PART_TIMEOUT_S)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: {token}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: 160000\r\n\r\n"
    )
    line.sendall(head.encode() + b"-" * 100)
    return line


@pytest.mark.serial
def test_a_hundred_slow_uploads_do_not_keep_polls_waiting(tmp_path: Path) -> None:
    with gunicorn(tmp_path) as platform, contextlib.ExitStack() as stack:
        api = platform.login()
        token = str(api.session.headers["Authorization"])
        files = [("a.jpg", "image/jpeg", b"-" * 160_000)] * (SLOW_LINES // 2)
        for upload in announce(api, *files):
            path = urlsplit(upload["url"]).path
            stack.enter_context(begin(platform.origin, "PUT", path, "", "image/jpeg"))
            form = "multipart/form-data; boundary=limit"
            stack.enter_context(begin(platform.origin, "POST", "/api/video/batch", token, form))
        for path in ("/healthz", "/api/user/profile", "/api/video/batches") * 5:
            started = time.monotonic()
            assert api.call("GET", path).status_code == 200
            assert time.monotonic() - started < ANSWER_LIMIT_S
        refused = api.call("POST", "/api/video/batch", json={})
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        assert int(refused.headers["Retry-After"]) > 0
        stack.close()  # the lines break, and their places are free again
        deadline = time.monotonic() + START_TIMEOUT_S
        while api.call("POST", "/api/video/batch", json={}).status_code == 503:
            assert time.monotonic() < deadline
        (upload,) = announce(api, ("a.jpg", "image/jpeg", image_bytes()))
        send(upload, image_bytes())
