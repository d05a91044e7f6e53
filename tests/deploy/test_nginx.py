"""deploy/nginx.conf, run by a real nginx in front of a stand-in for the web processes."""

import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from tests.plugins.servers import needing_servers
from tests.servers.nginx import TIMEOUT_S, Nginx, run_nginx
from tests.servers.process import LOOPBACK, free_port, scratch_folder, wait_until
from zhiying.kernel.body_limits import limit_for_path, limit_of

pytestmark = pytest.mark.xdist_group("nginx")

MEDIA = b"0123456789" * 100
TOKEN = {"Authorization": "Bearer good"}


class Application(BaseHTTPRequestHandler):
    """Answers /media/… the way Django does behind nginx, and everything else with what it got."""

    def do_GET(self) -> None:
        """Serve one request."""
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        if self.path == "/api/user/profile":
            known = self.headers.get("Authorization") == TOKEN["Authorization"]
            return self._answer(200 if known else 401, b"{}")
        if self.path.startswith("/media/") and "/upload/" not in self.path:
            key = self.path.partition("?")[0].rpartition("/")[2]  # behind the signature
            return self._answer(
                200,
                b"",
                {
                    "X-Accel-Redirect": f"/internal-media/{key}",
                    "Content-Type": "video/mp4",
                    "Cache-Control": "private, max-age=3600",
                    "X-Content-Type-Options": "nosniff",
                },
            )
        if self.path == "/api/no-such-call":
            return self._answer(404, b'{"detail": "theirs"}')
        return self._answer(200, json.dumps({**dict(self.headers), "received": len(content)}).encode())

    do_POST = do_GET  # noqa: N815
    do_OPTIONS = do_GET  # noqa: N815

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Keep the test's output quiet."""


@contextlib.contextmanager
def started(upstream: str) -> Iterator[Nginx]:
    with scratch_folder("media") as media:
        media.chmod(0o755)
        (media / "result.mp4").write_bytes(MEDIA)
        with needing_servers(), run_nginx(upstream=upstream, media=media) as nginx:
            yield nginx


@pytest.fixture(scope="module")
def site() -> Iterator[Nginx]:
    """A running nginx with the project's configuration, in front of a stand-in."""
    application = ThreadingHTTPServer((LOOPBACK, 0), Application)
    threading.Thread(target=application.serve_forever, daemon=True).start()
    with started(f"{LOOPBACK}:{application.server_address[1]}") as nginx:
        yield nginx
    application.shutdown()
    application.server_close()


@pytest.fixture(scope="module")
def lonely() -> Iterator[Nginx]:
    """An nginx whose application is away."""
    with started(f"{LOOPBACK}:{free_port()}") as nginx:
        yield nginx


def get(site: Nginx, path: str, **headers: str) -> tuple[Any, bytes]:
    """One request over TLS; header names are written with underscores."""
    return site.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def raw(site: Nginx, request: bytes, *, secure: bool = True) -> bytes:
    """The answer to bytes that need not be a request."""
    context = ssl._create_unverified_context()  # noqa: S323 - the certificate is made for this test
    port = site.https_port if secure else site.http_port
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(socket.create_connection((LOOPBACK, port), TIMEOUT_S))
        if secure:
            stream = stack.enter_context(context.wrap_socket(stream, server_hostname=site.server_name))
        with contextlib.suppress(OSError):  # a request that is refused need not be read to its end
            stream.sendall(request)
        parts: list[bytes] = []
        with contextlib.suppress(OSError):  # nor is a connection closed politely then
            while part := stream.recv(65536):
                parts.append(part)
        return b"".join(parts)


# --- Names and addresses ----------------------------------------------------------------------------


def test_plain_http_is_sent_to_https_with_its_port(site: Nginx) -> None:
    response, _ = site.request("POST", "/api/auth/login?next=x", secure=False)
    assert response.status == 308
    assert response.headers["Location"] == (
        f"https://video.example.com:{site.https_port}/api/auth/login?next=x"
    )


@pytest.mark.parametrize("secure", [True, False])
def test_unknown_hosts_are_sent_nowhere(site: Nginx, secure: bool) -> None:
    response, body = site.request("GET", "/api/x", secure=secure, headers={"Host": "evil.example.com"})
    assert (response.status, json.loads(body)["code"]) == (421, "unknown_host")
    assert "Location" not in response.headers


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_load_balancers_may_look_by_a_bare_address(site: Nginx, path: str, secure: bool) -> None:
    response, _ = site.request("GET", path, secure=secure, headers={"Host": f"{LOOPBACK}"})
    assert response.status == 200


def test_the_application_learns_the_real_address_and_scheme(site: Nginx) -> None:
    _, body = get(site, "/", X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="http")
    seen = json.loads(body)
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "https"
    assert seen["Host"] == "video.example.com"
    assert re.fullmatch(r"[0-9a-f]{32}", seen["X-Request-ID"])


# --- Bodies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/api/auth/login", 60_000, 200),
        ("/api/auth/login", 2_000_000, 413),
        ("/api/user/profile-to-be", 1_000_000, 200),
        ("/api/user/profile-to-be", 2_000_000, 413),
        ("/api/video/batch", 30_000_000, 200),
        ("/api/video/batches/1/items/2/replace", 20_000_000, 200),
        ("/api/video/batches/1/items/2/replace", 30_000_000, 413),
        ("/media/0-x/upload/1/2", 8_500_000, 200),
        ("/media/0-x/upload/1/2", 12_000_000, 413),
    ],
)
def test_each_call_has_a_limit_of_its_own(site: Nginx, path: str, size: int, status: int) -> None:
    response, body = site.request("POST", path, body=b"x" * size, headers=TOKEN)
    if status == 200:
        assert json.loads(body)["received"] == size
    else:
        assert (response.status, json.loads(body)["code"]) == (413, "request_too_large")


def calls_with_limits() -> dict[str, int]:
    """A path of every call that states how much it takes, and of some that do not."""
    examples = {"uuid": str(uuid4()), "str": "0-x", "int": "1", "path": "a/b"}
    found = {path: limit_for_path(path).form_bytes for path in ("/", "/admin/login/", "/api/user/profile")}

    def walk(patterns: Iterable[URLPattern | URLResolver], prefix: str) -> None:
        for entry in patterns:
            path = prefix + re.sub(r"<(\w+):\w+>", lambda match: examples[match[1]], str(entry.pattern))
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, path)
            elif isinstance(entry.pattern, RoutePattern) and limit_of(entry.callback) != limit_for_path("/"):
                found[path] = limit_of(entry.callback).form_bytes

    walk(get_resolver().url_patterns, "/")
    return found


def first_answer(site: Nginx, path: str, length: int) -> bytes:
    """The first line that a client gets who asks whether to send a body of this length, and sends none."""
    head = f"POST {path} HTTP/1.1\r\nHost: {site.server_name}\r\nContent-Length: {length}\r\n"
    head += f"Authorization: {TOKEN['Authorization']}\r\nExpect: 100-continue\r\n\r\n"
    context = ssl._create_unverified_context()  # noqa: S323 - the certificate is made for this test
    with (
        socket.create_connection((LOOPBACK, site.https_port), TIMEOUT_S) as connection,
        context.wrap_socket(connection, server_hostname=site.server_name) as stream,
    ):
        stream.sendall(head.encode())
        return stream.recv(65536).partition(b"\r\n")[0]


def test_what_the_application_would_refuse_is_not_taken_in_first(site: Nginx) -> None:
    """To the byte, for every call: nginx refuses what is too large before a byte of it comes."""
    limits = calls_with_limits()
    assert len(limits) == 12, "three of the default; five of accounts, a credential; batch, replace, part"
    asked = {
        path: (first_answer(site, path, limit), first_answer(site, path, limit + 1))
        for path, limit in limits.items()
    }
    expected = (b"HTTP/1.1 100 Continue", b"HTTP/1.1 413 Request Entity Too Large")
    assert asked == dict.fromkeys(limits, expected)


@pytest.mark.parametrize("path", ["/api/video/batch", "/api/video/batches/1/items/2/replace"])
def test_nobody_unknown_fills_the_disk(site: Nginx, path: str) -> None:
    """The answer comes although the body never does."""
    head = f"POST {path} HTTP/1.1\r\nHost: video.example.com\r\nContent-Length: 20000000\r\n"
    answer = raw(site, f"{head}Connection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "not_authenticated"


def test_browsers_of_other_origins_may_ask_first(site: Nginx) -> None:
    assert site.request("OPTIONS", "/api/video/batch")[0].status == 200


# --- Media ------------------------------------------------------------------------------------------


def test_media_come_from_disk_with_the_applications_headers(site: Nginx) -> None:
    response, body = get(site, "/media/0-x/result.mp4")
    assert (response.status, body) == (200, MEDIA)
    assert response.headers["Content-Type"] == "video/mp4"
    assert response.headers["Cache-Control"] == "private, max-age=3600"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_media_can_be_seeked(site: Nginx) -> None:
    response, body = get(site, "/media/0-x/result.mp4", Range="bytes=5-14")
    assert (response.status, body) == (206, b"5678901234")
    assert response.headers["Content-Range"] == f"bytes 5-14/{len(MEDIA)}"


def test_a_range_beyond_the_end_is_refused(site: Nginx) -> None:
    response, body = get(site, "/media/0-x/result.mp4", Range="bytes=5000-")
    assert (response.status, json.loads(body)["code"]) == (416, "bad_range")


def test_media_cannot_be_reached_past_the_application(site: Nginx) -> None:
    response, body = get(site, "/internal-media/result.mp4")
    assert (response.status, json.loads(body)["code"]) == (404, "not_found")


# --- Logs -------------------------------------------------------------------------------------------


def logged(site: Nginx, text: str) -> None:
    """A line is written after its request was answered."""
    wait_until(lambda: text in site.access_log, timeout_s=TIMEOUT_S, what=f"{text} in the log")


def test_signatures_of_media_are_in_no_log(site: Nginx) -> None:
    signature = "68af3c10-AbCdEfGhIjKlMnOpQrStUvWx"
    for path in (f"/media/{signature}/gone.mp4", f"/media/{signature}/x.mp4?download=y"):
        response, _ = get(site, path, Referer=f"https://video.example.com{path}")
        assert response.status == 404
    logged(site, "x.mp4")
    assert [signature in text for text in (site.access_log, site.error_log)] == [False, False]


def test_links_to_videos_are_in_no_log(site: Nginx) -> None:
    token = "Zk3-vQ_8yT1nB6wE4rP0aLxC"
    get(site, f"/s/{token}", Referer=f"https://video.example.com/s/{token}")
    logged(site, "/s/[hidden]")
    assert [token in text for text in (site.access_log, site.error_log)] == [False, False]


def test_times_are_utc(site: Nginx) -> None:
    get(site, "/")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 ", site.access_log.splitlines()[-1])


# --- Errors of nginx itself -------------------------------------------------------------------------


def test_errors_of_the_application_are_its_own(site: Nginx) -> None:
    response, body = get(site, "/api/no-such-call")
    assert (response.status, json.loads(body)) == (404, {"detail": "theirs"})


@pytest.mark.parametrize("path", ["/api/user/profile", "/media/0-x/y.mp4", "/readyz", "/static/x.js"])
def test_while_the_application_is_away_clients_are_told_when_to_come_again(lonely: Nginx, path: str) -> None:
    response, body = get(lonely, path, Accept_Language="en-GB,en;q=0.9")
    assert response.status == 502
    assert response.headers["Content-Type"] == "application/json"
    assert int(response.headers["Retry-After"]) > 0
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])
    assert json.loads(body) == {
        "detail": "The service is starting or being updated. Try again in a moment.",
        "code": "unavailable",
    }


def test_an_upload_while_the_application_is_away_is_told_the_same(lonely: Nginx) -> None:
    response, body = lonely.request("POST", "/api/video/batch", body=b"x", headers=TOKEN)
    assert (response.status, json.loads(body)["code"]) == (503, "unavailable")
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("language", "words"), [("zh-CN", "请稍后重试"), ("en", "Try again"), ("", "请稍后重试")]
)
def test_people_are_shown_a_page_in_their_language(lonely: Nginx, language: str, words: str) -> None:
    response, body = get(lonely, "/admin/", Accept_Language=language)
    assert response.status == 502
    assert response.headers["Content-Type"].startswith("text/html")
    assert int(response.headers["Retry-After"]) > 0
    assert words in body.decode()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET /api/x HTTP/1.1\r\n\r\n", 400),
        (b"GET /api/x HTTP/1.1\r\nHost: video.example.com\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 400),
        (b"GET /api/" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: video.example.com\r\n\r\n", 414),
    ],
)
def test_what_is_no_request_is_refused_in_json(site: Nginx, request_bytes: bytes, status: int) -> None:
    head, _, body = raw(site, request_bytes).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert set(json.loads(body)) == {"detail", "code"}


def test_plain_http_on_the_port_of_tls_is_refused_in_json(site: Nginx) -> None:
    request = b"GET /api/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection((LOOPBACK, site.https_port), TIMEOUT_S) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "bad_request"
