"""The child process of a `FaceChecker`: `python -m videos.media.face_process MEMORY_BYTES`.

Reads the path of one portrait and the name of its check a line, as JSON, and answers in JSON lines. Its
networks stay loaded. It knows no Django and no secret.
"""

import json
import os
import queue
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

from engines.base import EngineError, EngineUnavailableError, PortraitCheck
from engines.registry import get_portrait_check
from engines.sandbox import give_up_privileges


def main(memory_bytes: int) -> None:
    give_up_privileges()
    _limit(memory_bytes)
    # Libraries that print must not break the protocol: what they write goes to stderr.
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    check_named = cache(get_portrait_check)
    while True:
        request = json.loads(requests.get())
        answer = _answer(check_named(request["check"]), Path(request["portrait"]))
        stream.write(json.dumps(answer) + "\n")
        stream.flush()


def _answer(checker: PortraitCheck, portrait: Path) -> dict[str, Any]:
    try:
        checker.check(portrait)
    except EngineUnavailableError:
        raise  # no fact about the portrait: the process ends, and the portrait goes on unchecked
    except EngineError as error:
        return {"code": error.code, "params": dict(error.params), "detail": error.detail}
    return {}


def _read_requests(requests: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)  # the parent is gone; nobody waits for an answer


def _limit(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(int(sys.argv[1]))
