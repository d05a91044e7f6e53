"""Running a program that is not ours: bounded in time, memory and words, and gone with all it started."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import BinaryIO

import psutil

from engines.base import Cancelled, EngineError, EngineStoppedError, RenderCancelled

LOOK_S = 0.1
MEASURE_S = 1.0
STOP_S = 3.0
"""How long a program may tidy up after being asked to stop."""
TAIL_BYTES = 4096
MAX_FILE_BYTES = 4 << 30


@dataclass(frozen=True, kw_only=True)
class Limits:
    seconds: float
    memory_mb: float
    """Resident, of all its processes together."""


@dataclass(frozen=True)
class Ended:
    status: int
    tail: str
    """The end of what it wrote to stderr."""


def run(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    limits: Limits,
    cancelled: Cancelled,
    working_directory: Path | None = None,
) -> Ended:
    """Run to the end; raises `RenderCancelled`, or an `EngineError` when a limit is passed."""
    with (folder / "stdout.log").open("wb") as said:
        try:
            process = subprocess.Popen(
                list(arguments),
                cwd=working_directory or folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.PIPE,
                start_new_session=True,
                preexec_fn=_bound_files if sys.platform == "linux" else None,
            )
        except OSError as error:
            raise EngineStoppedError("command_missing", name=arguments[0]) from error
    tail: deque[bytes] = deque(maxlen=TAIL_BYTES)
    assert process.stderr is not None  # noqa: S101  # narrowing for the type checker
    reading = Thread(target=_keep_tail, args=(process.stderr, tail), daemon=True)
    reading.start()
    try:
        _wait(process, limits, cancelled)
    finally:
        _end(process)
        reading.join(STOP_S)
        process.stderr.close()
    return Ended(process.returncode, b"".join(tail).decode("utf-8", "replace").strip())


def _bound_files() -> None:
    """In the child, before the program: no file larger than this, no core dumps."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _keep_tail(stream: BinaryIO, tail: "deque[bytes]") -> None:
    """Read all, so that the program never waits, and remember the end."""
    while block := stream.read1(65_536):  # type: ignore[attr-defined]
        tail.extend(bytes([byte]) for byte in block[-TAIL_BYTES:])


def _wait(process: "subprocess.Popen[bytes]", limits: Limits, cancelled: Cancelled) -> None:
    ends, measured = time.monotonic() + limits.seconds, 0.0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
            return
        now = time.monotonic()
        if cancelled():
            raise RenderCancelled
        if now > ends:
            raise EngineError("command_too_slow", limit=round(limits.seconds))
        if now - measured > MEASURE_S:
            measured = now
            if _memory_mb(process.pid) > limits.memory_mb:
                raise EngineError("command_memory", limit=round(limits.memory_mb))


def _memory_mb(pid: int) -> float:
    """Resident memory of a process and all it started."""
    total = 0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
    return total / (1 << 20)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Stop the whole process group, also what a program left behind after its own end."""
    for number, grace_s in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, STOP_S)):
        if process.poll() is not None and number is signal.SIGTERM:
            continue
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
