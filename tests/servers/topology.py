"""The whole installation of docker-compose.yml as processes: its own settings, commands and health checks.

There is no container engine in a test. What a container would hide is replaced and nothing else: host names
of other services, ports, and the folders that are volumes there.
"""

import contextlib
import os
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from filelock import FileLock

from tests.servers.nginx import Nginx, run_nginx
from tests.servers.process import (
    LOOPBACK,
    Command,
    Runner,
    ServerError,
    accepts_connections,
    free_port,
    run_command,
)

ROOT = Path(__file__).resolve().parents[2]
HOST_NAME = "video.example.com"
START_TIMEOUT_S = 300
HEALTH_TIMEOUT_S = 30


@dataclass
class Topology:
    """An installation of docker-compose.yml: one folder, private servers, private ports."""

    folder: Path
    database_url: str
    broker_url: str
    extra: Mapping[str, str] = field(default_factory=dict)
    """What else the operator wrote into .env."""
    host_name: str = HOST_NAME
    run_server: Runner = run_command
    web_ports: list[int] = field(default_factory=list)
    metrics_ports: list[int] = field(default_factory=list)
    """Of workers that are to tell their figures."""

    def __post_init__(self) -> None:
        self.https_port = free_port()
        self.public_url = f"https://{self.host_name}:{self.https_port}"
        self.admin_password = secrets.token_urlsafe(12)
        self.variables = {**_example(), **self._operator(), **self.extra}
        self._services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]

    # --- What a service is told ---------------------------------------------------------------------

    def _operator(self) -> dict[str, str]:
        """What .env.example marks "docker compose needs", filled in as it asks for."""
        return {
            "PUBLIC_URL": self.public_url,
            "ALLOWED_HOSTS": self.host_name,
            "SECRET_KEY": secrets.token_urlsafe(64),
            "ADMIN_PASSWORD": self.admin_password,
            "POSTGRES_PASSWORD": secrets.token_hex(12),
            "RABBITMQ_PASSWORD": secrets.token_hex(12),
            "TLS_CERTIFICATE_DIR": "/etc/nginx/tls",
        }

    def environment(self, service: str, number: int = 1) -> dict[str, str]:
        """The environment of one of our services' processes, as the engine would make it."""
        told = {**self.variables, **self._of_compose(service)}
        scratch = self.folder / f"tmp-{service}-{number}"  # each container has a /tmp of its own
        scratch.mkdir(exist_ok=True)
        replaced = {
            "DATABASE_URL": self.database_url,
            "BROKER_URL": self.broker_url,
            "DATA_DIR": str(self.folder / "data"),
            "TMPDIR": str(scratch),
        }
        for name, url in (("DATABASE_URL", "postgres"), ("BROKER_URL", "rabbitmq")):
            assert urlsplit(told[name]).hostname == url, "another service than the one that is replaced"
        if service == "web":
            replaced["PORT"] = str(_port(self.web_ports, number))
        if service == "worker" and told["WORKER_METRICS_PORT"] != "0":
            replaced["WORKER_METRICS_PORT"] = str(_port(self.metrics_ports, number))
        own = {name: value for name, value in os.environ.items() if name not in told and name != "TZ"}
        own["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**own, **told, **self.extra, **replaced}

    def _of_compose(self, service: str) -> dict[str, str]:
        environment = self._services[service]["environment"]
        return {name: interpolated(str(value), self.variables) for name, value in environment.items()}

    # --- Running ------------------------------------------------------------------------------------

    def run(self, service: str, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a service's command, or another with its environment, to its end."""
        words = list(command) or self._services[service]["command"]
        return subprocess.run(
            words,
            cwd=ROOT,
            env=self.environment(service),
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            check=False,
        )

    def setup(self) -> str:
        """What every other service of ours waits for; returns its output."""
        release()
        result = self.run("setup")
        if result.returncode:
            raise ServerError(f"setup ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        return result.stdout

    def health(self, service: str, number: int = 1) -> "subprocess.CompletedProcess[str]":
        """The service's own health check, run once."""
        kind, *words = self._services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        return subprocess.run(
            words,
            cwd=ROOT,
            env=self.environment(service, number),
            capture_output=True,
            text=True,
            timeout=HEALTH_TIMEOUT_S,
            check=False,
        )

    @contextlib.contextmanager
    def service(self, service: str, number: int = 1) -> Iterator["subprocess.Popen[bytes]"]:
        """A long-running service of ours, from the moment it is healthy."""
        command = Command(
            self._services[service]["command"],
            self.log(service, number),
            self.environment(service, number),
            cwd=ROOT,
        )
        with self.run_server(
            command,
            ready=lambda: self._has_begun(service, number) and not self.health(service, number).returncode,
            timeout_s=START_TIMEOUT_S,
        ) as process:
            yield process

    def _has_begun(self, service: str, number: int) -> bool:
        """Whether asking for its health is worth a process; before, that would only slow its start down."""
        if service == "web":
            return accepts_connections(self.web_ports[number - 1])
        return (self.folder / f"tmp-{service}-{number}" / "zhiying-worker.pid").exists()

    @contextlib.contextmanager
    def nginx(self) -> Iterator[Nginx]:
        """nginx in front of all web services that were started."""
        told = self._of_compose("nginx")
        assert told["NGINX_SERVER_NAMES"] == self.host_name
        assert told["PUBLIC_URL"] == self.public_url
        (self.folder / "data" / "media").mkdir(parents=True, exist_ok=True)
        upstream = "; server ".join(f"{LOOPBACK}:{port}" for port in self.web_ports)
        with run_nginx(
            upstream=upstream,
            media=self.folder / "data" / "media",
            server_name=told["NGINX_SERVER_NAMES"],
            https_port=self.https_port,
            run=self.run_server,
        ) as nginx:
            yield nginx

    def log(self, service: str, number: int = 1) -> Path:
        return self.folder / f"{service}-{number}.log"

    @contextlib.contextmanager
    def up(self, *, web: int = 1, workers: int = 1) -> Iterator[Nginx]:
        """Everything, in the order of `depends_on`."""
        self.setup()
        with contextlib.ExitStack() as stack:
            for number in range(1, web + 1):
                stack.enter_context(self.service("web", number))
            for number in range(1, workers + 1):
                stack.enter_context(self.service("worker", number))
            yield stack.enter_context(self.nginx())


def _port(ports: list[int], number: int) -> int:
    """The port of the service's instance of that number, 1 is the first."""
    while len(ports) < number:
        ports.append(free_port())
    return ports[number - 1]


def release() -> None:
    """What the Dockerfile does when it makes the image, unless it was done."""
    with FileLock(ROOT / "build" / "release.lock"):
        if not (ROOT / "build" / "static" / ".collected").exists():
            subprocess.run(["make", "release"], cwd=ROOT, check=True, capture_output=True, timeout=600)


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Compose's own way: `${NAME}`, `${NAME:-default}` (which may hold another), `${NAME:?}`."""
    pattern = re.compile(r"\$\{(\w+)(?::([-?])((?:[^{}]|\$\{\w+\})*))?\}")

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match[1], match[2], match[3] or ""
        found = variables.get(name, "")
        if found or kind is None:
            return found
        if kind == "?":
            raise ServerError(f"{name} has to be set in .env")
        return interpolated(rest, variables)

    return pattern.sub(value, text)


def _example() -> dict[str, str]:
    """.env.example as it is copied to .env."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name: shlex.split(value)[0] if value else "" for name, _, value in pairs}
