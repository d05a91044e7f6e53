"""Asks an engine's check, in a child process that can be killed, whether portraits can be used.

The child stays with its networks loaded, which all checks share. Whatever is wrong with it (no memory, no
weights, a portrait it hangs on) leaves portraits unchecked rather than refused: the render finds out.
"""

import json
import logging
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.sandbox import child_environment
from engines.sentences import Param

MEMORY_BYTES = 2_000_000_000
"""Address space of the child; it uses about an eighth of it."""
CHECKS_PER_CHILD = 2000
"""A child is replaced after so many checks, whatever it may have leaked."""
MAX_FAILURES = 2
"""Children that may be lost over one batch before the rest of it goes on unchecked."""
_ROOT = Path(__file__).resolve().parents[2]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FaceProblem:
    """Why an engine cannot use a portrait, as its `EngineError` says it."""

    code: str
    params: Mapping[str, Param]
    detail: str


class FaceChecker:
    """Owns one child process, started when it is needed. Threads take turns."""

    def __init__(self, time_limit_s: float, memory_bytes: int = MEMORY_BYTES) -> None:
        self._command = [sys.executable, "-m", "videos.media.face_process", str(memory_bytes)]
        self._time_limit_s = time_limit_s
        self._turn = threading.Lock()
        self._child: _Child | None = None

    def problems(self, portraits: Sequence[Path], check: str) -> list[FaceProblem | None]:
        """For each portrait, in order, what is wrong with it; None where nothing is or nobody could look.

        `check` is its name as `engines.registry.portrait_check_of` gives it.
        """
        found: list[FaceProblem | None] = []
        failures = 0
        for portrait in portraits:
            problem = None
            if failures < MAX_FAILURES:
                try:
                    problem = self._check(portrait, check)
                except (OSError, ValueError, KeyError, TypeError) as error:
                    failures += 1
                    logger.warning("A portrait went on without a look at its face: %s", error)
            found.append(problem)
        return found

    def close(self) -> None:
        """Kill the child, if there is one."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _check(self, portrait: Path, check: str) -> FaceProblem | None:
        # A turn for each portrait: a batch of one does not wait for a batch of fifty.
        if not self._turn.acquire(timeout=self._time_limit_s):
            raise TimeoutError("other portraits are being checked")
        try:
            if self._child is not None and self._child.checks >= CHECKS_PER_CHILD:
                self.close()
            if self._child is None:
                self._child = _Child(self._command)
            answer = self._child.ask(portrait, check, self._time_limit_s)
        except BaseException:
            self.close()  # whatever state it is in, it is not asked again
            raise
        finally:
            self._turn.release()
        return FaceProblem(str(answer["code"]), answer["params"], answer["detail"]) if answer else None


class _Child:
    """The process: JSON lines in, JSON lines out."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
            cwd=_ROOT,
            start_new_session=True,  # the terminal's Ctrl-C is for the server, which ends this one
        )
        self._answers: queue.Queue[bytes] = queue.Queue()
        try:
            threading.Thread(target=self._read, daemon=True).start()
        except RuntimeError as error:  # no more threads in this process: nobody would hear it
            self.kill()
            assert self._process.stdout  # noqa: S101
            self._process.stdout.close()
            raise OSError(str(error)) from error
        self.checks = 0

    def ask(self, portrait: Path, check: str, time_limit_s: float) -> dict[str, Any]:
        """Raises TimeoutError, OSError (the process has ended) or ValueError (it talks nonsense)."""
        self.checks += 1
        assert self._process.stdin  # noqa: S101  (it is a pipe; tells the type checker)
        request = {"portrait": str(portrait.absolute()), "check": check}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        started = time.monotonic()
        try:
            line = self._answers.get(timeout=time_limit_s)
        except queue.Empty:
            waited_s = time.monotonic() - started
            raise TimeoutError(f"no answer in {waited_s:.1f} s") from None
        if not line:
            raise OSError("the process that looks for faces has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdin  # noqa: S101
        with suppress(OSError):
            self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout  # noqa: S101
        with self._process.stdout as stream:
            for line in stream:
                self._answers.put(line)
        self._answers.put(b"")
