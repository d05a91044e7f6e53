"""Uploads that trickle in: what a bad network, or somebody bad, does to a server."""

import contextlib
import socket
import ssl
from typing import Any

from tests.servers.process import LOOPBACK

BYTES_PER_S = 10_000
CONNECT_TIMEOUT_S = 60


class SlowUploads:
    """Many uploads of a batch at once, each of which sends `BYTES_PER_S` when told to.

    `server_name` is the name under which TLS is spoken; empty: plain HTTP.
    """

    def __init__(self, count: int, port: int, authorization: str, *, server_name: str = "") -> None:
        self._count, self._port, self._server_name = count, port, server_name
        self._head = (
            f"POST /api/video/batch HTTP/1.1\r\nHost: {server_name or LOOPBACK}\r\n"
            f"Authorization: {authorization}\r\nContent-Length: 50000000\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
            '--x\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n'
        ).encode()
        self._streams = contextlib.ExitStack()
        self._open: list[Any] = []

    def __enter__(self) -> "SlowUploads":
        context = ssl._create_unverified_context()  # noqa: S323 - the certificate is made for a test
        for _ in range(self._count):
            stream = self._streams.enter_context(
                socket.create_connection((LOOPBACK, self._port), CONNECT_TIMEOUT_S)
            )
            if self._server_name:
                stream = self._streams.enter_context(
                    context.wrap_socket(stream, server_hostname=self._server_name)
                )
            stream.sendall(self._head)
            self._open.append(stream)
        return self

    def trickle(self) -> None:
        """A second's worth of every upload; raises when the server has given one up."""
        for stream in self._open:
            stream.sendall(b"x" * BYTES_PER_S)

    def __exit__(self, *error: object) -> None:
        self._streams.close()
