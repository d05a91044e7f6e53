"""Fifty images of ten megabytes do not go through the server's memory."""

import http.client
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.support.live import REQUEST_TIMEOUT_S, serving
from tests.support.media import wav_bytes

pytestmark = [pytest.mark.slow]

IMAGES = 50
IMAGE_BYTES = 10_000_000
GROWTH_LIMIT_BYTES = 150_000_000
BOUNDARY = "limit"


def noisy_jpeg(side: int = 1400) -> bytes:
    """A JPEG of ten megabytes: noise does not compress, and what a smaller picture lacks are zeros."""
    noise = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise, "RGB").save(stream, "JPEG", quality=95, subsampling=0)
    content = stream.getvalue()
    assert len(content) < 20_000_000
    return content + b"\0" * max(0, IMAGE_BYTES - len(content))


def parts(image: bytes) -> Iterator[bytes]:
    """A multipart body, piece by piece, so that the client does not hold it either."""
    files = [("audio", "a.wav", wav_bytes())] + [("images", f"{n}.jpg", image) for n in range(IMAGES)]
    for field, name, content in files:
        head = f'Content-Disposition: form-data; name="{field}"; filename="{name}"'
        yield f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode()
        yield content
        yield b"\r\n"
    yield f"--{BOUNDARY}--\r\n".encode()


class PeakMemory:
    """The largest resident memory (bytes) of a process while the block runs."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.start = self.peak = self._process.memory_info().rss

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.peak = max(self.peak, self._process.memory_info().rss)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()


def test_a_full_batch_of_large_images_does_not_fill_the_memory(tmp_path: Path) -> None:
    image = noisy_jpeg()
    length = sum(len(part) for part in parts(image))
    with serving(tmp_path / "data", WORKER_THREADS="1") as platform:
        api = platform.login()
        api.get("/api/video/batches")
        token = str(api.session.headers["Authorization"])
        with PeakMemory(platform.process.pid) as memory:
            connection = http.client.HTTPConnection(
                platform.origin.removeprefix("http://"), timeout=REQUEST_TIMEOUT_S
            )
            headers = {
                "Authorization": token,
                "Content-Length": str(length),
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            }
            connection.request("POST", "/api/video/batch", body=parts(image), headers=headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            connection.close()
        assert answer.status == 201, body
        assert body["image_count"] == IMAGES
        api.call("DELETE", f"/api/video/batches/{body['batch_id']}")
        grown = memory.peak - memory.start
    assert grown < GROWTH_LIMIT_BYTES, f"{grown / 1e6:.0f} MB"
