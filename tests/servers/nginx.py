"""nginx with the project's own configuration, on private ports."""

import contextlib
import http.client
import os
import re
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.servers.process import (
    LOOPBACK,
    Command,
    Runner,
    accepts_connections,
    find_program,
    free_port,
    run_command,
    scratch_folder,
)

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
TIMEOUT_S = 60


@dataclass(frozen=True)
class Nginx:
    """Where it listens, and the folder of its logs."""

    http_port: int
    https_port: int
    folder: Path
    server_name: str

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        secure: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """One request, over TLS unless told otherwise, under the name it serves unless a Host is given."""
        connection: http.client.HTTPConnection
        if secure:
            # The certificate is made for this test, and is nobody's.
            context = ssl._create_unverified_context()  # noqa: S323
            connection = http.client.HTTPSConnection(
                LOOPBACK, self.https_port, context=context, timeout=TIMEOUT_S
            )
        else:
            connection = http.client.HTTPConnection(LOOPBACK, self.http_port, timeout=TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Host": self.server_name, **(headers or {})})
            response = connection.getresponse()
            return response, response.read()

    @property
    def access_log(self) -> str:
        return (self.folder / "access.log").read_text()

    @property
    def error_log(self) -> str:
        return (self.folder / "error.log").read_text()


@contextlib.contextmanager
def run_nginx(
    *,
    upstream: str,
    media: Path,
    server_name: str = "video.example.com",
    https_port: int | None = None,
    run: Runner = run_command,
) -> Iterator[Nginx]:
    """Start nginx in front of `upstream` (host:port), with TLS and the files below `media`.

    Raises `MissingServerError` where it is not installed.
    """
    program = find_program("nginx")
    with scratch_folder("nginx") as folder:
        folder.chmod(0o755)  # its worker processes are another user when root runs this
        nginx = Nginx(free_port(), https_port or free_port(), folder, server_name)
        make_certificate(folder, server_name)
        variables = {
            "NGINX_USER": "www-data",
            "NGINX_SERVER_NAMES": server_name,
            "NGINX_UPSTREAM": upstream,
            "NGINX_RESOLVER": LOOPBACK,
            "NGINX_TLS_DIR": str(folder),
            "NGINX_MEDIA_DIR": str(media),
            "PUBLIC_URL": f"https://{server_name}:{nginx.https_port}/",  # as browsers show it
        }
        text = _filled_in(CONFIGURATION.read_text(), variables)
        (folder / "nginx.conf").write_text(_privately(text, nginx))
        words: list[str | Path] = [program, "-e", folder / "error.log", "-p", folder]
        words += ["-c", folder / "nginx.conf", "-g", f"daemon off; pid {folder / 'pid'};"]
        with run(
            Command(words, folder / "log", {**os.environ, "TZ": "UTC"}),
            ready=lambda: accepts_connections(nginx.https_port),
        ):
            yield nginx


def _filled_in(text: str, variables: Mapping[str, str]) -> str:
    """As envsubst does it: names of the list alone, so that nginx's own variables stay."""
    assert set(re.findall(r"\$\{([A-Z_]+)\}", text)) == set(variables)
    return re.sub(r"\$\{([A-Z_]+)\}", lambda match: Template(match[0]).substitute(variables), text)


def _privately(text: str, nginx: Nginx) -> str:
    """The configuration with nothing changed but addresses and folders."""
    changes = {
        r"/var/cache/nginx/client_temp": f"{nginx.folder}/client_body",
        r"/etc/nginx/zhiying-errors\.conf": str(CONFIGURATION.with_name("nginx-errors.conf")),
        r"/var/www/acme": f"{nginx.folder}/acme",
        r"/var/log/nginx/access\.log": f"{nginx.folder}/access.log",
        r"/var/log/nginx/error\.log": f"{nginx.folder}/error.log",
    }
    return at_private_addresses(_changed(text, changes), nginx)


def at_private_addresses(text: str, nginx: Nginx) -> str:
    """The configuration with its ports changed, and what only root may say left out for others."""
    changes = {
        r"listen \[::\]:\d+[^;]*;": "",
        r"listen 80\b": f"listen {LOOPBACK}:{nginx.http_port}",
        r"listen 443\b": f"listen {LOOPBACK}:{nginx.https_port}",
        r"listen 127\.0\.0\.1:8081;": f"listen {LOOPBACK}:{free_port()};",
    }
    if os.geteuid() != 0:
        changes[r"user \S+;"] = ""
        changes[r"worker_rlimit_nofile \d+;"] = ""
    paths = "".join(
        f"{name}_temp_path {nginx.folder}/{name};\n" for name in ("proxy", "fastcgi", "uwsgi", "scgi")
    )
    return _changed(text, changes).replace("http {", f"http {{\n{paths}", 1)


def _changed(text: str, changes: Mapping[str, str]) -> str:
    for pattern, replacement in changes.items():
        text, count = re.subn(pattern, replacement, text)
        assert count, pattern
    return text


def make_certificate(folder: Path, server_name: str) -> None:
    """A self-signed certificate under the names the configuration uses."""
    words: list[str | Path] = [
        find_program("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
    ]
    words += ["-subj", f"/CN={server_name}", "-addext", f"subjectAltName=DNS:{server_name},IP:{LOOPBACK}"]
    words += ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, "HOME": str(folder)})
