"""A server that a test switches off, in one of its ways to end, and on again."""

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator

from tests.servers.process import START_TIMEOUT_S, STOP_TIMEOUT_S, Command, stop_group


class Switch:
    """Runs servers as `run_command` does; the one that was started last can be switched.

    A server may need others (RabbitMQ its port mapper): those are started before it, and stay.
    """

    def __init__(self) -> None:
        self._command: Command | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: Callable[[], bool] = lambda: True
        self._timeout_s = START_TIMEOUT_S

    @contextlib.contextmanager
    def run(
        self,
        command: Command,
        *,
        ready: Callable[[], bool],
        timeout_s: float = START_TIMEOUT_S,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """As `run_command`; what it gives is the first process, which others may follow."""
        first = command.start()
        self._command, self._process, self._ready, self._timeout_s = command, first, ready, timeout_s
        try:
            command.wait_until_ready(first, ready, timeout_s)
            yield first
        finally:
            stop_group(first, stop_signal)
            if self._command is command and self._process:
                stop_group(self._process, stop_signal)

    def off(self, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it in this way, and be sure that it has ended."""
        assert self._process
        self._process.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT_S)
        stop_group(self._process)

    @contextlib.contextmanager
    def away(self, stop_signal: signal.Signals = signal.SIGTERM) -> Iterator[None]:
        """Off for as long as the block lasts, however that ends."""
        self.off(stop_signal)
        try:
            yield
        finally:
            self.on()

    def on(self) -> None:
        """Start it again where it was, and wait until it is ready."""
        assert self._command
        self._process = self._command.start()
        self._command.wait_until_ready(self._process, self._ready, self._timeout_s)
