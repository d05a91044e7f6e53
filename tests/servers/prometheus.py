"""A private Prometheus that scrapes an installation with the rules of `deploy/prometheus`."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.servers.process import LOOPBACK, find_program, free_port, running, scratch_folder

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = DEPLOY / "prometheus"
DASHBOARD = DEPLOY / "grafana" / "zhiying.json"
START_TIMEOUT_S = 60


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    port: int

    def get(self, path: str, **parameters: str) -> Any:
        answer = requests.get(f"http://{LOOPBACK}:{self.port}/api/v1/{path}", params=parameters, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, expression: str) -> list[Mapping[str, Any]]:
        """The series that an expression gives now."""
        found: list[Mapping[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def is_ready(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"http://{LOOPBACK}:{self.port}/-/ready", timeout=5).status_code == 200
        return False


@contextlib.contextmanager
def run_prometheus(
    token: str, targets: Mapping[str, Sequence[str]], *, every_s: int = 1
) -> Iterator[Prometheus]:
    """The example configuration with our targets (by job), looking every so many seconds."""
    with scratch_folder("prometheus") as folder:
        config = yaml.safe_load((RULES / "prometheus.yml").read_text())
        assert {job["job_name"] for job in config["scrape_configs"]} == set(targets)
        for job in config["scrape_configs"]:
            job["static_configs"] = [{"targets": list(targets[job["job_name"]])}]
        config["global"] = dict.fromkeys(config["global"], f"{every_s}s")
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        (folder / "alerts.yml").write_text((RULES / "alerts.yml").read_text())
        (folder / "token").write_text(token)
        server = Prometheus(free_port())
        with running(
            [
                str(find_program("prometheus")),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={LOOPBACK}:{server.port}",
            ],
            ready=server.is_ready,
            log=folder / "log",
            timeout_s=START_TIMEOUT_S,
        ):
            yield server


def without_variables(expression: str) -> str:
    """A panel's expression as Grafana would ask, with rates over a minute."""
    return expression.replace("$__rate_interval", "1m")


def dashboard_panels() -> list[dict[str, Any]]:
    """Grafana's own form of them, rows included."""
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return panels


def alert_rules() -> list[Mapping[str, Any]]:
    groups = yaml.safe_load((RULES / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def selectors(expression: str) -> set[str]:
    """The series that an expression reads: names, with their labels where it asks for some."""
    return set(re.findall(r"\b(?:zhiying_|django_http_|up\b)\w*(?:\{[^}]*\})?", expression))
