"""A private Redis."""

import contextlib
import socket
from collections.abc import Iterator

from tests.servers.process import (
    LOOPBACK,
    Command,
    Runner,
    find_program,
    free_port,
    run_command,
    scratch_folder,
)


@contextlib.contextmanager
def run_redis(*, run: Runner = run_command) -> Iterator[str]:
    """Start an empty Redis (or Valkey) that keeps nothing, and give its URL, `redis://host:port/0`."""
    program = find_program("redis-server", "valkey-server")
    port = free_port()
    options = {"port": str(port), "bind": LOOPBACK, "save": "", "appendonly": "no"}
    with scratch_folder("redis") as folder:
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        server = Command([program, *arguments, "--dir", folder], folder / "log")
        with run(server, ready=lambda: _answers(port)):
            yield f"redis://{LOOPBACK}:{port}/0"


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False
