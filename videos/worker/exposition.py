"""Where Prometheus scrapes what the worker processes of one master count.

One of them answers for all: it adds up their files (`prometheus_client`'s multiprocess mode), and asks
neither database nor broker. Not a process of its own: of those Dramatiq's master would not notice the death,
while that of a worker process ends the master, and whoever supervises it starts all anew.
"""

import fcntl
import hmac
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.conf import settings
from prometheus_client import CollectorRegistry, make_wsgi_app

from zhiying.kernel.counter_files import CountersOfAllProcesses

PATH = "/metrics"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names where; set by the master."""
RETRY_S = 5.0
"""Between two tries to listen: a predecessor may still hold the port."""
PATIENCE_S = 10.0
"""How long a client may take to ask."""

logger = logging.getLogger(__name__)

Answer = Callable[[dict[str, Any], Any], Iterable[bytes]]


def has_files() -> bool:
    """Whether there are several processes, which count in files; what counts alone tells its own figures."""
    return FOLDER in os.environ


def application(folder: Path) -> Answer:
    """The WSGI application: figures for the bearer of METRICS_TOKEN, or for anybody where none is set.

    `folder`: where the processes keep their files.
    """
    registry = CollectorRegistry()
    CountersOfAllProcesses(registry, folder)
    figures = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is nothing but /metrics here.\n"]
        if not _may_read(environ.get("HTTP_AUTHORIZATION", "")):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"Metrics need the token of METRICS_TOKEN.\n"]
        answered: Iterable[bytes] = figures(environ, start_response)
        return answered

    return answer


def _may_read(authorization: str) -> bool:
    expected = f"Bearer {settings.METRICS_TOKEN}"
    return not settings.METRICS_TOKEN or hmac.compare_digest(authorization.encode(), expected.encode())


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library's name)
        """Scrapes are no news."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        super(WSGIServer, self).server_bind()  # WSGIServer's asks the DNS for our name first
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


def answer_for_ever() -> None:
    """Answer for all processes until this one ends; those who come second wait their turn."""
    folder = Path(os.environ[FOLDER])
    turn = os.open(folder / "turn.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    fcntl.flock(turn, fcntl.LOCK_EX)  # until the process ends
    host, port = settings.WORKER_METRICS_HOST, settings.WORKER_METRICS_PORT
    server = None
    told = False
    while server is None:
        try:
            server = _Server(host, port)
        except OSError as error:
            if not told:
                logger.error("Cannot listen on %s:%d for metrics: %s", host, port, error.strerror)
            told = True
            time.sleep(RETRY_S)
    server.set_app(application(folder))
    server.serve_forever()
