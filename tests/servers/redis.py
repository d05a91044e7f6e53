"""A private Redis."""

import contextlib
import socket
from collections.abc import Iterator

from tests.servers.process import LOOPBACK, find_program, free_port, running, scratch_folder


@contextlib.contextmanager
def run_redis() -> Iterator[str]:
    """Start an empty Redis (or Valkey) that keeps nothing, and give its URL, `redis://host:port/0`."""
    program = find_program("redis-server", "valkey-server")
    port = free_port()
    options = {"port": str(port), "bind": LOOPBACK, "save": "", "appendonly": "no"}
    with scratch_folder("redis") as folder:
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        with running(
            [program, *arguments, "--dir", folder], ready=lambda: _answers(port), log=folder / "log"
        ):
            yield f"redis://{LOOPBACK}:{port}/0"


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False
