"""LocalAI's `/video`: one request that lasts as long as the render, and so a local engine.

A server that answers only when it is done gives nothing to look at or to take up again. The request is made
by the render process, which may be killed; the server then works to its end unheeded.
"""

import base64
import binascii
import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from engines.base import (
    Cancelled,
    Capabilities,
    EngineBusyError,
    EngineError,
    Progress,
    Readiness,
    RenderCancelled,
    RenderResult,
    RenderSpec,
)
from engines.failures import failure_of
from engines.http import MAX_VIDEO_BYTES, Client, Reply
from engines.options import number_of, private_allowed, url_of
from engines.results import make_ours

MODEL = "longcat-video-avatar-1.5"
FPS = 25
LOOK_S = 0.2
MADE_SHARE = 0.8


class LocalAIEngine:
    """Implements `engines.base.Engine`, from the environment of the process that renders."""

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._options = os.environ if options is None else options

    def capabilities(self) -> Capabilities:
        return Capabilities(
            name="localai",
            label="LocalAI",
            min_side_px=128,
            max_side_px=8000,
            min_audio_s=0.5,
            max_audio_s=number_of(self._options, "LOCALAI_MAX_AUDIO_S", 25, least=1),
            fps=FPS,
            max_concurrent=int(number_of(self._options, "LOCALAI_CONCURRENT", 1, least=1)),
        )

    def readiness(self) -> Readiness:
        try:
            url, client = self._server()
            reply = client.get(f"{url}/v1/models", headers=self._headers())
            reply.raise_for_trouble()
            reply.object()
        except EngineError as error:
            return Readiness.no(error)
        return Readiness(ready=True)

    def warm_up(self) -> None:
        self._server()

    def render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        progress(0.0)
        url, client = self._server()
        with tempfile.TemporaryDirectory(prefix="localai-", dir=spec.output.parent) as folder:
            made = Path(folder) / "made"
            asking = ThreadPoolExecutor(1)
            try:
                _until(asking.submit(self._make, client, url, spec, made), cancelled)
            finally:
                asking.shutdown(wait=False, cancel_futures=True)
            progress(MADE_SHARE)
            return make_ours(
                made, spec, lambda share: progress(MADE_SHARE + (1 - MADE_SHARE) * share), cancelled
            )

    def _server(self) -> tuple[str, Client]:
        url = url_of(self._options, "LOCALAI_URL")
        return url, Client(url, private_allowed=private_allowed(self._options))

    def _headers(self) -> dict[str, str]:
        key = self._options.get("LOCALAI_KEY", "").strip()
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _make(self, client: Client, url: str, spec: RenderSpec, target: Path) -> None:
        body = {
            "model": self._options.get("LOCALAI_MODEL", "").strip() or MODEL,
            "prompt": spec.prompt or "a person talks to the camera",
            "start_image": base64.b64encode(spec.portrait.read_bytes()).decode(),
            "audio": base64.b64encode(spec.audio.read_bytes()).decode(),
            "seed": spec.seed % 2**31,
            "response_format": "url",
        }
        reply = client.post_json(
            f"{url}/video",
            body,
            headers=self._headers(),
            total_s=number_of(self._options, "LOCALAI_TIMEOUT_S", 1800, least=1),
            limit=MAX_VIDEO_BYTES,
        )
        if reply.status in (400, 422):
            raise EngineError("input_refused", reason=_words(reply))
        if reply.status == 500:
            raise failure_of(_words(reply))
        reply.raise_for_trouble()
        _keep(reply, client, url, target)


def _words(reply: Reply) -> str:
    error = reply.object().get("error")
    return str(error.get("message") if isinstance(error, dict) else error)[:300]


def _keep(reply: Reply, client: Client, url: str, target: Path) -> None:
    """The video of an answer, which is in it or at an address."""
    data: Any = reply.object().get("data")
    first = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
    if first.get("b64_json"):
        try:
            target.write_bytes(base64.b64decode(first["b64_json"], validate=True))
        except binascii.Error:
            raise EngineBusyError("server_answer", host=reply.host) from None
    elif first.get("url"):
        address = str(first["url"])
        fetched = client.download(address if "://" in address else f"{url}/{address.lstrip('/')}", target)
        fetched.raise_for_trouble()
        if not fetched.ok:
            raise EngineError("result_missing")
    else:
        raise EngineError("result_missing")


def _until(work: "Future[None]", cancelled: Cancelled) -> None:
    while not wait([work], LOOK_S).done:
        if cancelled():
            raise RenderCancelled
    work.result()
