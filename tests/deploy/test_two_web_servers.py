"""deploy/nginx.conf in front of two web servers, of which one dies with a request in hand.

nginx asks the other only where that does no harm: POST and PATCH go to nobody twice, GET and DELETE do. So a
DELETE that the first server had done is answered 404 by the second.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.deploy.test_nginx import started
from tests.servers.nginx import Nginx
from tests.servers.process import LOOPBACK, free_port

pytestmark = pytest.mark.xdist_group("nginx")

PATH = "/api/video/batches/1"


@dataclass
class Pair:
    """What two servers have in common, as by their database."""

    deaths: int = 0
    """How many of the next calls are done and not answered, because their server dies."""
    exists: bool = True
    """What a DELETE removes."""
    calls: list[tuple[int, str]] = field(default_factory=list)
    """The port and method of each call, in order."""
    ports: list[int] = field(default_factory=list)

    @property
    def asked(self) -> list[int]:
        return [port for port, _ in self.calls]


def server_of(pair: Pair) -> ThreadingHTTPServer:
    class Web(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            assert isinstance(self.server, ThreadingHTTPServer)
            pair.calls.append((self.server.server_address[1], self.command))
            status = 200 if pair.exists else 404
            if self.command == "DELETE":
                pair.exists = False
            if pair.deaths:
                pair.deaths -= 1
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Keep the test's output quiet."""

    return ThreadingHTTPServer((LOOPBACK, 0), Web)


@pytest.fixture
def pair() -> Iterator[tuple[Pair, Nginx]]:
    """With an nginx of their own, which remembers no death of another test."""
    both = Pair()
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            server = server_of(both)
            stack.callback(server.server_close)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            both.ports.append(server.server_address[1])
        upstream = "; server ".join(f"{LOOPBACK}:{port}" for port in both.ports)
        yield both, stack.enter_context(started(upstream))


def test_a_get_goes_to_the_other(pair: tuple[Pair, Nginx]) -> None:
    both, nginx = pair
    both.deaths = 1
    response, _ = nginx.request("GET", PATH)
    assert response.status == 200
    assert sorted(both.asked) == sorted(both.ports), "each was asked once"


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_changes_something_goes_to_nobody_twice(pair: tuple[Pair, Nginx], method: str) -> None:
    both, nginx = pair
    both.deaths = 1
    response, body = nginx.request(method, PATH, body=b"{}")
    assert (response.status, json.loads(body)["code"]) == (502, "unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert len(both.calls) == 1


def test_a_delete_that_was_done_is_asked_of_the_other_which_finds_nothing(pair: tuple[Pair, Nginx]) -> None:
    both, nginx = pair
    both.deaths = 1
    response, _ = nginx.request("DELETE", PATH)
    assert response.status == 404
    assert sorted(both.asked) == sorted(both.ports), "each was asked once"


def test_a_post_that_no_server_got_goes_to_the_other() -> None:
    """A connection that is refused brought nothing to anybody."""
    both = Pair()
    server = server_of(both)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    try:
        with started(f"{LOOPBACK}:{free_port()}; server {LOOPBACK}:{port}") as nginx:
            # Of two calls in a row at least one begins with the server that is not there.
            for _ in range(2):
                response, _ = nginx.request("POST", PATH, body=b"{}")
                assert response.status == 200
    finally:
        server.shutdown()
        server.server_close()
    assert both.asked == [port, port]
