"""How fast is a batch through the whole platform, against the engine alone?

    python -m bench.batch_throughput [--items 50] [--portrait FILE] [--audio FILE]

Runs both on this machine, one after the other: first the engine in a loop in one process with all
cores, then `manage.py serve` on a temporary folder with one batch submitted over HTTP on loopback.
Prints seconds per item for each, and how long a batch of one takes from submission to video.
"""

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from engines.base import RenderSpec
from engines.portrait.engine import PortraitEngine

MEDIA = Path(__file__).resolve().parents[1] / "tests" / "media"
PASSWORD = "bench-" + uuid4().hex
WARM_UP_S = 5


def engine_alone(portrait: Path, audio: Path, items: int) -> float:
    """Seconds per item of the engine in a loop, models loaded and audio analysed before."""
    engine = PortraitEngine()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        def render(number: int) -> None:
            spec = RenderSpec(
                portrait=portrait, audio=audio, output=root / f"{number}.mp4", seed=number, cache_dir=root
            )
            engine.render(spec, lambda share: None, lambda: False)

        render(0)
        start = time.perf_counter()
        for number in range(1, items + 1):
            render(number)
        return (time.perf_counter() - start) / items


@contextmanager
def running_server() -> Iterator[str]:
    """A server of its own on a temporary folder; yields its origin."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "DATA_DIR": folder,
            "PORT": str(port),
            "ADMIN_PASSWORD": PASSWORD,
            "LOG_LEVEL": "ERROR",
        }
        server = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], env=environment, stdout=subprocess.DEVNULL
        )
        origin = f"http://127.0.0.1:{port}"
        try:
            _wait_until_ready(origin)
            yield origin
        finally:
            server.terminate()
            server.wait(timeout=60)


def _wait_until_ready(origin: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{origin}/readyz", timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            time.sleep(WARM_UP_S)  # render processes load their models
            return
    raise RuntimeError("The server did not become ready within a minute.")


def batch_seconds(origin: str, token: str, portrait: Path, audio: Path, items: int) -> tuple[float, int]:
    """Seconds from the start of the submission to the last video, and how many failed."""
    start = time.perf_counter()
    files = [("images", portrait)] * items + [("audio", audio)]
    batch = _call(f"{origin}/api/video/batch", token, *_multipart(files))["batch_id"]
    while True:
        body = _call(f"{origin}/api/video/batches/{batch}", token)
        if body["status"] not in {"pending", "processing"}:
            return time.perf_counter() - start, body["progress"]["failed"]
        time.sleep(0.1)


def _login(origin: str) -> str:
    body = json.dumps({"username": "admin", "password": PASSWORD}).encode()
    return str(_call(f"{origin}/api/auth/login", "", body, "application/json")["token"])


def _call(url: str, token: str, body: bytes | None = None, content_type: str = "") -> Any:
    headers = {"Content-Type": content_type} if content_type else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


def _multipart(files: list[tuple[str, Path]]) -> tuple[bytes, str]:
    boundary = uuid4().hex
    head = '--{}\r\nContent-Disposition: form-data; name="{}"; filename="{}"\r\n\r\n'
    parts = [
        head.format(boundary, name, path.name).encode() + path.read_bytes() + b"\r\n" for name, path in files
    ]
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--items", type=int, default=50)
    parser.add_argument("--portrait", type=Path, default=MEDIA / "portrait-astronaut.jpg")
    parser.add_argument("--audio", type=Path, default=MEDIA / "speech-en-librivox-0870.wav")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    alone = engine_alone(options.portrait, options.audio, min(options.items, 10))
    print(f"engine alone, in a loop:        {alone:6.2f} s per item")
    with running_server() as origin:
        token = _login(origin)
        single, _ = batch_seconds(origin, token, options.portrait, options.audio, 1)
        print(f"batch of 1, submission → video: {single:6.2f} s")
        total, failed = batch_seconds(origin, token, options.portrait, options.audio, options.items)
    each = total / options.items
    rate = f"{each:6.2f} s per item ({total:.1f} s, {failed} failed)"
    print(f"batch of {options.items:<3}:                   {rate}")
    print(f"platform / engine alone:        {each / alone:6.2f}")


if __name__ == "__main__":
    main()
