"""A way to a server that can be made bad: it trickles, answers 503, or lets nothing through."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from enum import StrEnum

from tests.servers.process import LOOPBACK, free_port

CHUNK_BYTES = 64 * 1024
TRICKLE_BYTES, TRICKLE_EVERY_S = 1024, 0.1
BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Way(StrEnum):
    """How the way is now."""

    GOOD = "good"
    TRICKLING = "trickling"
    """Answers come, but slowly."""
    STUCK = "stuck"
    """Requests arrive, and no answer comes."""
    BUSY = "busy"
    """Whatever is asked, the answer is 503."""


class Passage:
    """Connects a loopback port to another, byte by byte, so that signatures stay what they are."""

    def __init__(self, target: int) -> None:
        self.port, self.way = free_port(), Way.GOOD
        self._target = target
        self._gone = threading.Event()
        self._asked = threading.Event()
        self._sockets: list[socket.socket] = []

    @contextlib.contextmanager
    def open(self) -> Iterator["Passage"]:
        with socket.create_server((LOOPBACK, self.port)) as listener:
            listener.settimeout(0.1)
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                self._gone.set()
                thread.join()
                for each in self._sockets:
                    with contextlib.suppress(OSError):
                        each.shutdown(socket.SHUT_RDWR)
                    each.close()

    def become(self, way: Way) -> None:
        self._asked.clear()
        self.way = way

    def is_asked(self) -> bool:
        """Whether anything has come since the way is as it is."""
        return self._asked.is_set()

    def _accept(self, listener: socket.socket) -> None:
        while not self._gone.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((LOOPBACK, self._target), timeout=5)
        except OSError:
            client.close()  # as a server that is not there
            return
        server.settimeout(None)
        client.settimeout(None)
        self._sockets += [client, server]
        threading.Thread(target=self._carry_answers, args=(server, client), daemon=True).start()
        self._carry_requests(client, server)

    def _carry_requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := client.recv(CHUNK_BYTES):
                self._asked.set()
                if self.way is Way.BUSY:
                    client.sendall(BUSY)
                    break
                server.sendall(chunk)
        _end(client, server)

    def _carry_answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := server.recv(CHUNK_BYTES):
                self._send(client, chunk)
        _end(client, server)

    def _send(self, client: socket.socket, chunk: bytes) -> None:
        while chunk and not self._gone.is_set():
            if self.way is Way.GOOD:
                client.sendall(chunk)
                return
            if self.way is not Way.STUCK:
                client.sendall(chunk[:TRICKLE_BYTES])
                chunk = chunk[TRICKLE_BYTES:]
            time.sleep(TRICKLE_EVERY_S)


def _end(*ends: socket.socket) -> None:
    for each in ends:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
