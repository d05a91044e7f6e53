"""Where Prometheus scrapes what a machine's worker processes count: a port of their master's.

Dramatiq starts this as a process beside the workers. It adds up their files (`prometheus_client`'s
multiprocess mode), asks neither database nor broker, and ends with the master.
"""

import hmac
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.conf import settings
from prometheus_client import CollectorRegistry, make_wsgi_app, multiprocess

from videos.worker.lifecycle import end_with_the_master

PATH = "/metrics"
RETRY_S = 5.0
"""Between two tries to listen: a predecessor may still hold the port."""
PATIENCE_S = 10.0
"""How long a client may take to ask."""

logger = logging.getLogger(__name__)

Answer = Callable[[dict[str, Any], Any], Iterable[bytes]]


def serve() -> int:
    """Answer until the master ends."""
    end_with_the_master()
    threading.Thread(target=_answer_for_ever, daemon=True).start()
    threading.Event().wait()  # until a signal of the master's
    return 0


def application() -> Answer:
    """The WSGI application: figures for the bearer of METRICS_TOKEN, or for anybody where none is set."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
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


def _answer_for_ever() -> None:
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
    server.set_app(application())
    server.serve_forever()
