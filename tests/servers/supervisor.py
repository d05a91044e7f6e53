"""Starts again what dies, as a container engine does with `restart: unless-stopped`."""

import contextlib
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator

from tests.servers.process import POLL_INTERVAL_S, START_TIMEOUT_S, Command, stop_group

RESTART_DELAY_S = 1.0
"""Between a death and the next start, so that what cannot start does not use a core up."""


class Supervisor:
    """Runs servers and keeps them running; `tell` gets a sentence for each death."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._running: list[_Kept] = []

    def servers(self) -> list[tuple[str, int]]:
        """Name and latest process of each server that is kept running."""
        return [(kept.name, kept.pid) for kept in self._running]

    @contextlib.contextmanager
    def run(
        self,
        command: Command,
        *,
        ready: Callable[[], bool],
        timeout_s: float = START_TIMEOUT_S,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """As `run_command`; what it gives is the first process, which others may follow.

        A first start that fails is an error, not a death.
        """
        first = command.start()
        kept = _Kept(command, first, self._tell)
        try:
            command.wait_until_ready(first, ready, timeout_s)
            kept.begin()
            self._running.append(kept)
            yield first
        finally:
            if kept in self._running:
                self._running.remove(kept)
            kept.end(stop_signal)


class _Kept:
    """A command and its latest process."""

    def __init__(
        self, command: Command, process: subprocess.Popen[bytes], tell: Callable[[str], None]
    ) -> None:
        self._command = command
        self._process = process
        self._tell = tell
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"keeps {command.name}", daemon=True)

    @property
    def name(self) -> str:
        return self._command.name

    @property
    def pid(self) -> int:
        return self._process.pid

    def begin(self) -> None:
        self._thread.start()

    def _keep(self) -> None:
        while not self._ending.wait(POLL_INTERVAL_S):
            code = self._process.poll()
            if code is None:
                continue
            stop_group(self._process)  # children that outlived it would hold its port
            self._tell(
                f"{self._command.name} (process {self._process.pid}, {self._command.log}) died with {code} "
                "and is started again"
            )
            if not self._ending.wait(RESTART_DELAY_S):
                self._process = self._command.start()

    def end(self, stop_signal: signal.Signals) -> None:
        self._ending.set()
        try:
            if self._thread.is_alive():
                self._thread.join()
        finally:  # whoever is interrupted while waiting leaves nothing running either
            stop_group(self._process, stop_signal)
