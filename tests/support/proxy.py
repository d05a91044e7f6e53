"""A TCP proxy before PostgreSQL that cuts the line between a commit and its answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOOPBACK = "127.0.0.1"
CHUNK = 65536
ENDED_S = 20
NO_ENCRYPTION = b"N"
"""The server's answer, one byte long, to a client that asks for an encrypted line."""
COMMAND_COMPLETE = ord("C")


class CommitProxy:
    """Passes everything on. The answer to one commit, counted from 1 over all connections, is not."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self.commits = 0
        self.lost = 0
        """Which one; 0: none."""
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def happened(self) -> bool:
        return 0 < self.lost <= self.commits

    def lose(self, number: int) -> None:
        with self._lock:
            self.commits, self.lost = 0, number

    def start(self) -> None:
        self._run(self._accept)

    def stop(self) -> None:
        # Shutting it down wakes whoever accepts; closing alone does not.
        for one in [self._listener, *self._sockets]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(ENDED_S)
            assert not thread.is_alive()

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name="proxy", daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                server = socket.create_connection(self._server)
                for one in (client, server):  # or each short message waits for the answer to the last
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets += [client, server]
                self._run(self._forth, client, server)
                self._run(self._back, client, server)

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while chunk := client.recv(CHUNK):
                server.sendall(chunk)
        _cut(client, server)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            for message in _messages(server):
                if self._is_lost(message):
                    break
                client.sendall(message)
        _cut(client, server)

    def _is_lost(self, message: bytes) -> bool:
        if message[0] != COMMAND_COMPLETE or message[5:] != b"COMMIT\0":
            return False
        with self._lock:
            self.commits += 1
            return self.commits == self.lost


def _cut(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _messages(server: socket.socket) -> Iterator[bytes]:
    """What a server says, message by message: a letter, a length that counts itself, and the content."""
    with server.makefile("rb") as stream:
        begun = False
        while kind := stream.read(1):
            # A notice begins with the same letter, but comes after the authentication.
            if kind == NO_ENCRYPTION and not begun:
                yield kind
                continue
            begun = True
            length = stream.read(4)
            yield kind + length + stream.read(int.from_bytes(length) - 4)


@contextmanager
def cutting_proxy(host: str, port: int) -> Iterator[CommitProxy]:
    """A proxy for as long as the block lasts."""
    proxy = CommitProxy(host, port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
