"""A render in a child process that can be killed.

The child lives on between renders, so that imports and models are paid once; it is killed on a time
limit, on too much memory, when its item is cancelled, and it ends by itself when its parent dies.
"""

import json
import logging
import math
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from engines.base import Note, RenderResult, RenderSpec
from engines.descendants import end_descendants
from engines.sandbox import child_environment
from engines.sentences import Param

RENDERS_PER_CHILD = 200
"""A child is replaced after so many renders, whatever it may have leaked."""
STDERR_TAIL_BYTES = 2000
CODE_LENGTH = 64
TEXT_LENGTH = 1000
HANGING_UP_S = 2.0
"""How long a child may live after it closed its end of the line."""
logger = logging.getLogger(__name__)

Alive = Callable[[float], bool]
"""Called with the share done (0.0 to 1.0) every heartbeat; False means: stop, nobody wants it."""


class RenderFailedError(Exception):
    """The render gave no result, for a reason a user can be told."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        retryable: bool,
        params: Mapping[str, Param] | None = None,
        unavailable: bool = False,
    ) -> None:
        super().__init__(detail or code)
        self.code = code
        self.params = params or {}
        self.detail = detail
        self.retryable = retryable
        self.unavailable = unavailable
        """It is the engine that cannot work, whatever it is given."""


class RenderAbandonedError(Exception):
    """The heartbeat said to stop; the child was killed."""


@dataclass(frozen=True)
class RenderLimits:
    """What a render may use: seconds in all, MB of resident memory, seconds between heartbeats."""

    time_s: float
    memory_mb: int
    heartbeat_s: float


class Renderer:
    """Owns one child process, starting it when needed. Used by one thread."""

    def __init__(self, engine: str, limits: RenderLimits) -> None:
        self._engine = engine
        self._limits = limits
        self._child: _Child | None = None

    def render(self, spec: RenderSpec, alive: Alive) -> RenderResult:
        """Render `spec` in the child.

        Raises:
            RenderFailedError: the engine refused, the child died, or a limit was passed.
            RenderAbandonedError: `alive` answered False.
        """
        child = self._ready_child()
        try:
            child.send(spec)
            return self._await_result(child, alive)
        except BaseException:
            # Whatever state it is in, a child that did not answer properly is not used again.
            if not child.idle:
                self.close()
            raise

    def start(self) -> None:
        """Start the child now, so that the first render does not wait for imports and models."""
        self._ready_child()

    def close(self) -> None:
        """Kill the child, if there is one."""
        if self._child:
            self._child.kill()
            self._child = None

    def _ready_child(self) -> "_Child":
        if self._child and (not self._child.running or self._child.renders >= RENDERS_PER_CHILD):
            self.close()
        if self._child is None:
            self._child = _Child(self._engine)
        return self._child

    def _await_result(self, child: "_Child", alive: Alive) -> RenderResult:
        deadline = time.monotonic() + self._limits.time_s
        share = 0.0
        beat = 0.0
        while True:
            message = child.receive(self._limits.heartbeat_s)
            if message is not None and "progress" in message:
                share = float(message["progress"])
            elif message is not None:
                return _result(message)
            elif not child.running:
                logger.error("The render process ended (exit %s): %s", child.exit_code, child.last_words())
                raise RenderFailedError("render_crashed", retryable=True, params={"code": child.exit_code})
            if time.monotonic() >= beat:
                self._check_limits(child, deadline)
                if not alive(share):
                    raise RenderAbandonedError
                beat = time.monotonic() + self._limits.heartbeat_s

    def _check_limits(self, child: "_Child", deadline: float) -> None:
        if time.monotonic() > deadline:
            raise RenderFailedError("render_timeout", retryable=False)
        if child.memory_mb() > self._limits.memory_mb:
            raise RenderFailedError("render_out_of_memory", retryable=False)


def _result(message: Mapping[str, Any]) -> RenderResult:
    if error := message.get("error"):
        raise RenderFailedError(
            storable(str(error["code"]), CODE_LENGTH),
            storable(str(error["detail"])),
            retryable=bool(error["retryable"]),
            params=storable_params(error["params"]),
            unavailable=bool(error["unavailable"]),
        )
    facts = dict(message["result"])
    notes = tuple(
        Note(storable(note["code"], CODE_LENGTH), storable_params(note["params"])) for note in facts["notes"]
    )
    return RenderResult(**{**facts, "notes": notes})


def storable_params(given: Mapping[str, Any]) -> dict[str, Param]:
    """Values as the database takes them: an engine's messages may hold anything."""
    return {
        storable(name, CODE_LENGTH): value
        if isinstance(value, int)
        else storable(str(value))
        if not isinstance(value, float) or not math.isfinite(value)
        else value
        for name, value in given.items()
    }


def storable(text: str, length: int = TEXT_LENGTH) -> str:
    """Without what PostgreSQL does not keep: NUL, and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:length]


class _Child:
    """The process behind a `Renderer`: JSON lines in, JSON lines out."""

    def __init__(self, engine: str) -> None:
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the child)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "videos.worker.render_process", engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=child_environment(),
            cwd=Path(__file__).resolve().parents[2],
            start_new_session=True,  # Ctrl-C is for the parent; killing takes the whole group
        )
        self._ps = psutil.Process(self._process.pid)
        self._started: list[psutil.Process] = []
        """What it had started when its memory was last measured."""
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()
        try:
            threading.Thread(target=self._read, daemon=True).start()
        except RuntimeError:  # this process may have no more threads, and nobody would hear the child
            self.kill()
            raise
        self.renders = 0
        self.idle = True
        """Whether the last render was answered, so that the child can take another."""

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def send(self, spec: RenderSpec) -> None:
        self.idle = False
        self.renders += 1
        assert self._process.stdin  # noqa: S101  (it is a pipe; tells the type checker)
        line = json.dumps(asdict(spec), default=str) + "\n"
        with suppress(BrokenPipeError):  # a dead child is noticed by whoever waits for the answer
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message, or None after `timeout_s`, at once when the child is dead."""
        try:
            message = self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if "closed" in message:
            self._end()
            return None
        self.idle = "progress" not in message
        return message

    def memory_mb(self) -> float:
        """Resident memory of the child and whatever it started."""
        total = 0
        with suppress(psutil.Error):
            self._started = self._ps.children(recursive=True)
            for process in [self._ps, *self._started]:
                with suppress(psutil.Error):
                    total += process.memory_info().rss
        return total / 1e6

    def _end(self) -> None:
        """Wait for a child that has hung up; one that lives on, or talked nonsense, is killed."""
        try:
            self._process.wait(HANGING_UP_S)
        except subprocess.TimeoutExpired:
            self._kill_group()

    def _kill_group(self) -> None:
        """Also what left the group, as workers of torchrun do, and what a child that is dead left behind."""
        self._signal(signal.SIGSTOP)  # so that nothing is begun meanwhile
        end_descendants(self._ps)
        self._signal(signal.SIGKILL)
        for process in self._started:
            with suppress(psutil.Error):
                process.kill()
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        self._kill_group()
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            with suppress(OSError):
                if stream:
                    stream.close()

    @property
    def exit_code(self) -> int:
        """How the child died; minus the signal that killed it."""
        return self._process.returncode or 0

    def last_words(self) -> str:
        """The end of what it wrote to standard error, for the log."""
        with suppress(OSError, ValueError):
            size = self._stderr.seek(0, os.SEEK_END)
            self._stderr.seek(max(0, size - STDERR_TAIL_BYTES))
            return self._stderr.read().decode(errors="replace")
        return ""

    def _read(self) -> None:
        assert self._process.stdout  # noqa: S101  (it is a pipe; tells the type checker)
        with suppress(OSError, ValueError):
            for line in self._process.stdout:
                self._messages.put(json.loads(line))
        self._messages.put({"closed": True})
