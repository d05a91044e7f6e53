"""The child process of a `Renderer`: `python -m videos.worker.render_process ENGINE`.

Reads one render spec a line from standard input and answers in JSON lines: progress, then a result or an
error. Without Django, database or network, so that a decoder that is taken over finds little.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import psutil

from engines.base import Engine, EngineError, EngineUnavailableError, RenderSpec
from engines.descendants import end_descendants
from engines.registry import get_engine
from engines.sandbox import give_up_privileges

PROGRESS_INTERVAL_S = 0.2
_PATHS = ("portrait", "audio", "output", "poster", "cache_dir")


class _Reporter:
    """Writes answers; progress at most every `PROGRESS_INTERVAL_S`."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._reported_at = 0.0

    def progress(self, share: float) -> None:
        now = time.monotonic()
        if now - self._reported_at >= PROGRESS_INTERVAL_S:
            self._reported_at = now
            self.send({"progress": share})

    def send(self, message: dict[str, Any]) -> None:
        self._stream.write(json.dumps(message) + "\n")
        self._stream.flush()


def main() -> None:
    give_up_privileges()
    # Libraries that print must not break the protocol: what they write goes to stderr.
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    reporter = _Reporter(stream)
    engine: Engine | None = None
    with suppress(EngineError):  # told again, with a reason, by the first render
        engine = get_engine(sys.argv[1])
        engine.warm_up()
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    while True:
        spec = _spec(json.loads(requests.get()))
        try:
            engine = engine or get_engine(sys.argv[1])
            result = engine.render(spec, reporter.progress, lambda: False)
        except EngineError as error:
            reporter.send({"error": _told(error)})
        except Exception:  # noqa: BLE001  (a bug of an engine costs one item, not the process)
            traceback.print_exc()
            reporter.send({"error": {**_told(EngineError()), "retryable": True}})
        else:
            reporter.send({"result": asdict(result)})


def _read_requests(requests: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        requests.put(line)
    _end_with_all()


def _end_with_all() -> None:
    """The parent is gone: a render in progress has nobody to go to, nor has what it started."""
    try:
        end_descendants(psutil.Process())
        if os.getpgrp() == os.getpid():  # else it is somebody else's
            os.killpg(0, signal.SIGKILL)
    finally:
        os._exit(0)


def _told(error: EngineError) -> dict[str, Any]:
    return {
        "code": error.code,
        "params": error.params,
        "detail": error.detail,
        "retryable": error.retryable,
        "unavailable": isinstance(error, EngineUnavailableError),
    }


def _spec(fields: dict[str, Any]) -> RenderSpec:
    paths = {name: Path(fields[name]) for name in _PATHS if fields[name] is not None}
    return RenderSpec(**{**fields, **paths})


if __name__ == "__main__":
    main()
