"""What all private servers share: finding the program, a free port, starting, waiting, stopping."""

import contextlib
import fcntl
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

LOOPBACK = "127.0.0.1"

PORTS = range(10_240, 22_240)
"""Where ports are taken from: below those that systems give to whoever asks for any, companions included."""

POLL_INTERVAL_S = 0.05
"""Pause between two looks at a condition."""

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 20.0
"""How long a server may take to be ready, and to stop by itself before it is killed."""

LOG_TAIL_CHARACTERS = 2000
"""How much of a server's log an error message carries."""

EXTRA_PROGRAM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian keeps PostgreSQL's server programs off the PATH
    "/usr/lib/rabbitmq/bin",  # Debian's own wrapper on the PATH switches users and logs to /var/log
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/*/bin",
    "/opt/homebrew/sbin",
    "/usr/local/opt/*/bin",
    "/usr/local/sbin",
    "/usr/sbin",  # not on the PATH of an ordinary Debian user
)


class ServerError(Exception):
    """A private server did not start."""


class MissingServerError(ServerError):
    """A server's program is not installed on this machine."""


def find_program(*names: str, prefer_extra: bool = False) -> Path:
    """The first of `names` found beside the interpreter, on the PATH or where packages hide it.

    With `prefer_extra` the packages' own folders come before the PATH. Raises `MissingServerError`.
    """
    for name in names:
        beside = Path(sys.executable).parent / name
        on_path = shutil.which(name)
        # In the order of the folders; of several versions the newest.
        extra = [
            found
            for pattern in EXTRA_PROGRAM_FOLDERS
            for found in sorted(Path("/").glob(f"{pattern[1:]}/{name}"), reverse=True)
        ]
        ordinary = [beside] + ([Path(on_path)] if on_path else [])
        for candidate in [*extra, *ordinary] if prefer_extra else [*ordinary, *extra]:
            if candidate.is_file() and os.access(candidate, os.X_OK):
                return candidate
    raise MissingServerError(f"{' or '.join(names)} is not installed")


def free_port(*, companion_offset: int = 0) -> int:
    """A loopback TCP port nobody listens on; with an offset, one whose companion port is free too.

    No other test gets it while this process lives, so a server may start, stop and start again there.
    """
    for port in random.SystemRandom().sample(PORTS, 200):
        if all(_reserve(wanted) for wanted in {port, port + companion_offset}):
            return port
    raise ServerError("no free port found")


def _reserve(port: int) -> bool:
    """Keep a port from other processes of these tests; False when one has it or something listens there."""
    folder = Path(tempfile.gettempdir()) / f"zhiying-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT)
    with contextlib.suppress(OSError), socket.socket() as probe:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        probe.bind((LOOPBACK, port))
        return True  # the lock stays open, and goes with this process
    os.close(lock)
    return False


def wait_until(condition: Callable[[], bool], *, timeout_s: float, what: str) -> None:
    """Look at `condition` until it holds; raises `ServerError` naming `what` after `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise ServerError(f"timed out after {timeout_s:.0f} s waiting for {what}")
        time.sleep(POLL_INTERVAL_S)


def accepts_connections(port: int) -> bool:
    """Whether something listens on the loopback port."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def log_tail(path: Path) -> str:
    """The end of a log file, or nothing when there is none."""
    return path.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:] if path.exists() else ""


@contextlib.contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """A short-named private folder, removed afterwards.

    Not pytest's own temporary folder: that one is closed to other users, and a server started by
    root as another user has to reach its data.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"zhiying-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Command:
    """A server's command line and surroundings; it runs in the foreground, in a process group of its own."""

    arguments: Sequence[str | Path]
    log: Path
    """Where its output goes; it runs in this folder unless told otherwise."""
    environment: Mapping[str, str] | None = None
    cwd: Path | None = None
    owner: pwd.struct_passwd | None = None
    """Whom it runs as; ourselves unless said."""

    @property
    def name(self) -> str:
        return Path(self.arguments[0]).name

    def start(self) -> subprocess.Popen[bytes]:
        identity: dict[str, Any] = {}
        if self.owner:
            identity = {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [str(argument) for argument in self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.cwd or self.log.parent,
                env=dict(self.environment) if self.environment is not None else None,
                start_new_session=True,
                **identity,
            )

    def wait_until_ready(
        self, process: subprocess.Popen[bytes], ready: Callable[[], bool], timeout_s: float
    ) -> None:
        """Raises `ServerError` with the end of its log when it dies or is not ready in time."""

        def ready_or_dead() -> bool:
            if process.poll() is not None:
                raise ServerError(f"{self.name} ended with {process.returncode}")
            return ready()

        try:
            wait_until(ready_or_dead, timeout_s=timeout_s, what=self.name)
        except ServerError as error:
            raise ServerError(f"{error}\n{log_tail(self.log)}") from None


class Runner(Protocol):
    """How servers are run: `running`, or a supervisor's way (tests/servers/supervisor.py)."""

    def __call__(
        self,
        command: Command,
        *,
        ready: Callable[[], bool],
        timeout_s: float = START_TIMEOUT_S,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> AbstractContextManager[subprocess.Popen[bytes]]: ...


@contextlib.contextmanager
def run_command(
    command: Command,
    *,
    ready: Callable[[], bool],
    timeout_s: float = START_TIMEOUT_S,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server from the moment it is ready until the block ends; once, and its death is its end.

    Its whole group is stopped, by force where asking is not enough.
    """
    process = command.start()
    try:
        command.wait_until_ready(process, ready, timeout_s)
        yield process
    finally:
        stop_group(process, stop_signal)


def running(
    arguments: Sequence[str | Path],
    *,
    ready: Callable[[], bool],
    log: Path,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = START_TIMEOUT_S,
    cwd: Path | None = None,
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """`run_command` in one call."""
    return run_command(Command(arguments, log, environment, cwd), ready=ready, timeout_s=timeout_s)


def stop_group(process: subprocess.Popen[bytes], stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ask a process to stop, wait, then kill what is left of its group."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
