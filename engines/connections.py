"""Connections that go to checked addresses and end when their time is up, whatever they wait for."""

import socket
import threading
import time
from contextlib import suppress
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from engines.addresses import Reach

CONNECT_S = 5.0
READ_S = 30.0
"""Longest silence."""
POOLED_CONNECTIONS = 8


class Exchange:
    """The deadline of one exchange: when it passes, the connection is shut.

    A time-out of the socket bounds each wait, not their sum: a server that sends a byte now and then would be
    listened to for ever.
    """

    _current = threading.local()

    def __init__(self, total_s: float) -> None:
        self.ends = time.monotonic() + total_s
        self.late = False
        self.begun = False
        """Something of the request may have reached the server."""
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(total_s, self._shut)
        self._timer.daemon = True

    def __enter__(self) -> "Exchange":
        self._timer.start()  # may fail, where there are too many threads
        self._current.exchange = self
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._socket = None
        self._current.exchange = None

    @classmethod
    def begin(cls) -> None:
        """This thread has a connection and sends its request now."""
        exchange: Exchange | None = getattr(cls._current, "exchange", None)
        if exchange is not None:
            exchange.begun = True

    @classmethod
    def watch(cls, connection: socket.socket | None) -> None:
        """Have this thread's exchange shut `connection` when its time is up."""
        exchange: Exchange | None = getattr(cls._current, "exchange", None)
        if exchange is None:
            return
        with exchange._lock:
            exchange._socket = connection
        if exchange.late:
            exchange._shut()

    def _shut(self) -> None:
        with self._lock:
            self.late = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


class _Checked(HTTPConnection):
    """What both kinds of connection do differently from urllib3's."""

    reach = Reach()

    def _new_conn(self) -> socket.socket:
        connection = self.reach.connect(self.host, self.port, CONNECT_S)
        Exchange.watch(connection)
        return connection

    def request(self, *arguments: Any, **named: Any) -> None:
        if self.sock is None:
            self.connect()
        Exchange.watch(self.sock)
        Exchange.begin()
        super().request(*arguments, **named)


class _CheckedSecure(_Checked, HTTPSConnection):
    """The name is checked against the certificate as ever; only the address is ours."""


def pools_within(reach: Reach) -> urllib3.PoolManager:
    """A pool manager all of whose connections go where `reach` permits."""
    manager = urllib3.PoolManager(
        num_pools=POOLED_CONNECTIONS,
        maxsize=POOLED_CONNECTIONS,
        retries=False,
    )
    plain = type("Connection", (_Checked,), {"reach": reach})
    secure = type("SecureConnection", (_CheckedSecure,), {"reach": reach})
    manager.pool_classes_by_scheme = {
        "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
    return manager
