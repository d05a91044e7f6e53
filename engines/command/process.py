"""Running a program that is not ours: bounded in time, memory and words, and gone with all it started.

It stays in the process group of whoever runs it: killing that group ends the program, too.
"""

import contextlib
import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import BinaryIO

import psutil

from engines.base import Cancelled, EngineError, EngineStoppedError, RenderCancelled
from engines.descendants import adopting_orphans

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
    with adopting_orphans():
        return _run(arguments, folder, environment, limits, cancelled, working_directory)


def _run(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    limits: Limits,
    cancelled: Cancelled,
    working_directory: Path | None,
) -> Ended:
    others = set(psutil.Process().children())
    with (folder / "stdout.log").open("wb") as said:
        try:
            process = subprocess.Popen(
                list(arguments),
                cwd=working_directory or folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.PIPE,
                preexec_fn=_bound_files if sys.platform == "linux" else None,
            )
        except OSError as error:
            raise EngineStoppedError("command_missing", name=arguments[0]) from error
    tail: deque[bytes] = deque(maxlen=TAIL_BYTES)
    assert process.stderr is not None  # noqa: S101  # narrowing for the type checker
    reading = Thread(target=_keep_tail, args=(process.stderr, tail), daemon=True)
    try:
        reading.start()
        _wait(process, others, limits, cancelled)
    finally:
        _end(process, others)
        if reading.is_alive():
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


def _wait(
    process: "subprocess.Popen[bytes]", others: Set[psutil.Process], limits: Limits, cancelled: Cancelled
) -> None:
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
            if _memory_mb(others) > limits.memory_mb:
                raise EngineError("command_memory", limit=round(limits.memory_mb))


def _started(others: Set[psutil.Process]) -> list[psutil.Process]:
    """The program with all it started and left behind: what this process has beside the `others`."""
    found = []
    for child in psutil.Process().children():
        if child not in others:
            found.append(child)
            with contextlib.suppress(psutil.Error):
                found += child.children(recursive=True)
    return found


def _memory_mb(others: Set[psutil.Process]) -> float:
    """Resident memory of a program and all it started."""
    total = 0
    for process in _started(others):
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total / (1 << 20)


def _end(process: "subprocess.Popen[bytes]", others: Set[psutil.Process]) -> None:
    """Stop the program and all it started, also what it left behind after its own end."""
    if process.poll() is None:
        for one in _started(others):
            with contextlib.suppress(psutil.Error):
                one.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
    ends = time.monotonic() + STOP_S
    while (left := _started(others)) and time.monotonic() < ends:
        for one in left:
            with contextlib.suppress(psutil.Error):
                one.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)  # before the others, who must not collect its status
        psutil.wait_procs([one for one in left if one.pid != process.pid], STOP_S)
