"""deploy/nginx.conf, run by a real nginx in front of a stand-in for the web processes."""

import contextlib
import http.client
import json
import os
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.plugins.environment import in_ci
from tests.servers import MissingServerError
from tests.servers.process import accepts_connections, find_program, free_port, running, scratch_folder

pytestmark = pytest.mark.xdist_group("nginx")

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
MEDIA = b"0123456789" * 100
TIMEOUT_S = 60


class Application(BaseHTTPRequestHandler):
    """Answers /media/… the way Django does behind nginx, and everything else with the headers it got."""

    def do_GET(self) -> None:
        """Serve one request."""
        body = b"" if self.path.startswith("/media/") else json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        if self.path.startswith("/media/"):
            key = self.path.rpartition("/")[2]  # behind the signature
            self.send_header("X-Accel-Redirect", f"/internal-media/{key}")
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Cache-Control", "private, max-age=3600")
            self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Keep the test's output quiet."""


@dataclass(frozen=True)
class Site:
    """Where nginx listens."""

    http_port: int
    https_port: int
    folder: Path

    def get(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        """One request over TLS; header names are written with underscores."""
        context = ssl._create_unverified_context()  # noqa: S323 - the certificate is made for this test
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.https_port, context=context, timeout=TIMEOUT_S
        )
        with contextlib.closing(connection):
            connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
            response = connection.getresponse()
            return response, response.read()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A running nginx with the project's configuration, its ports and paths changed to private ones."""
    try:
        nginx, openssl = find_program("nginx"), find_program("openssl")
    except MissingServerError as missing:
        (pytest.fail if in_ci() else pytest.skip)(str(missing))
    application = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=application.serve_forever, daemon=True).start()
    with scratch_folder("nginx") as folder:
        site = Site(free_port(), free_port(), folder)
        folder.chmod(0o755)  # nginx's workers are another user when root runs this
        make_certificate(openssl, folder)
        (folder / "media").mkdir()
        (folder / "media" / "result.mp4").write_bytes(MEDIA)
        (folder / "nginx.conf").write_text(privately(folder, site, application.server_address[1], nginx))
        words: list[str | Path] = [nginx, "-e", folder / "error.log", "-p", folder]
        words += ["-c", folder / "nginx.conf", "-g", f"daemon off; pid {folder / 'pid'};"]
        with running(words, ready=lambda: accepts_connections(site.https_port), log=folder / "log"):
            yield site
    application.shutdown()
    application.server_close()


def make_certificate(openssl: Path, folder: Path) -> None:
    """A self-signed certificate under the names the configuration uses."""
    words: list[str | Path] = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    words += ["-subj", "/CN=test", "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    subprocess.run(
        words,
        check=True,
        capture_output=True,
        env={**os.environ, "HOME": str(folder)},
    )


def privately(folder: Path, site: Site, application_port: int, nginx: Path) -> str:
    """The configuration with nothing changed but addresses, and what an older nginx does not know yet."""
    text = CONFIGURATION.read_text()
    changes = {
        r"listen \[::\]:\d+( ssl)?;": "",
        r"listen 80;": f"listen 127.0.0.1:{site.http_port};",
        r"listen 443 ssl;": f"listen 127.0.0.1:{site.https_port} ssl;",
        r"listen 127\.0\.0\.1:8081;": f"listen 127.0.0.1:{free_port()};",
        r"server web:8000;": f"server 127.0.0.1:{application_port};",
        r"/etc/nginx/tls/": f"{folder}/",
        r"alias /data/media/;": f"alias {folder}/media/;",
        r"/dev/stdout": f"{folder}/access.log",
        r"/dev/stderr": f"{folder}/error.log",
    }
    version = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    numbers = re.search(r"(\d+)\.(\d+)\.(\d+)", version)
    if numbers and tuple(map(int, numbers.groups())) < (1, 25, 1):
        changes[r"http2 on;"] = ""
    for pattern, replacement in changes.items():
        text, count = re.subn(pattern, replacement, text)
        assert count, pattern
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in temporary)
    return text.replace("http {", f"http {{\n{paths}", 1)


def test_plain_http_is_sent_to_https(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.http_port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request("POST", "/api/auth/login", headers={"Host": "video.example.com"})
        response = connection.getresponse()
        assert response.status == 308
        assert response.headers["Location"] == "https://video.example.com/api/auth/login"


def test_the_application_learns_the_real_address_and_scheme(site: Site) -> None:
    _, body = site.get("/", X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="http", Host="video.example.com")
    seen = json.loads(body)
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "https"
    assert seen["Host"] == "video.example.com"


def test_media_come_from_disk_with_the_applications_headers(site: Site) -> None:
    response, body = site.get("/media/result.mp4")
    assert (response.status, body) == (200, MEDIA)
    assert response.headers["Content-Type"] == "video/mp4"
    assert response.headers["Cache-Control"] == "private, max-age=3600"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_media_can_be_seeked(site: Site) -> None:
    response, body = site.get("/media/result.mp4", Range="bytes=5-14")
    assert (response.status, body) == (206, b"5678901234")
    assert response.headers["Content-Range"] == f"bytes 5-14/{len(MEDIA)}"


def test_a_range_beyond_the_end_is_refused(site: Site) -> None:
    response, _ = site.get("/media/result.mp4", Range="bytes=5000-")
    assert response.status == 416


def test_media_cannot_be_reached_past_the_application(site: Site) -> None:
    response, _ = site.get("/internal-media/result.mp4")
    assert response.status == 404


def test_signatures_of_media_are_in_no_log(site: Site) -> None:
    signature = "68af3c10-AbCdEfGhIjKlMnOpQrStUvWx"
    for path in (f"/media/{signature}/gone.mp4", f"/media/{signature}/x.mp4?download=y"):
        response, _ = site.get(path, Referer=f"https://video.example.com{path}")
        assert response.status == 404
    access = (site.folder / "access.log").read_text()
    assert "gone.mp4" in access
    errors = (site.folder / "error.log").read_text()
    assert [signature in text for text in (access, errors)] == [False, False]
