"""What operators would have seen: a Prometheus with the shipped alerts, and the dashboard's figures."""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.servers.process import LOOPBACK
from tests.servers.prometheus import Prometheus, dashboard_panels, run_prometheus, without_variables
from tests.servers.topology import ROOT, Topology
from tests.soak.settings import METRICS_TOKEN

SCRAPE_S = 5
POINTS = 400
"""Of each series over the whole time."""
PANELS = ROOT / "build" / "soak-dashboard.json"
"""What `python -m workshop.dashboard` draws."""


class Watcher:
    """Looks on while the block runs."""

    def __init__(self, server: Prometheus) -> None:
        self._server = server
        self._began = time.time()

    def fired(self) -> Counter[str]:
        """For how many seconds each alert was raised, by its name; pending ones do not count."""
        series = self._over_all('ALERTS{alertstate="firing"}', SCRAPE_S)
        found: Counter[str] = Counter()
        for each in series:
            found[each["metric"]["alertname"]] += SCRAPE_S * len(each["values"])
        return found

    def keep_panels(self, path: Path = PANELS) -> Path:
        """Write the dashboard with the figures of each of its panels; returns where."""
        step = max(SCRAPE_S, (time.time() - self._began) / POINTS)
        panels = [
            {
                **panel,
                "targets": [
                    {**target, "series": self._over_all(without_variables(target["expr"]), step)}
                    for target in panel.get("targets", [])
                ],
            }
            for panel in dashboard_panels()
        ]
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"began": self._began, "ended": time.time(), "panels": panels}))
        return path

    def _over_all(self, expression: str, step_s: float) -> list[dict[str, Any]]:
        found = self._server.get(
            "query_range",
            query=expression,
            start=str(self._began),
            end=str(time.time()),
            step=f"{step_s:.3f}",
        )
        series: list[dict[str, Any]] = found["result"]
        return series


@contextlib.contextmanager
def watching(topology: Topology) -> Iterator[Watcher]:
    """A Prometheus that scrapes all web processes and workers."""
    targets = {"zhiying-web": topology.web_ports, "zhiying-worker": topology.metrics_ports}
    addresses = {job: [f"{LOOPBACK}:{port}" for port in ports] for job, ports in targets.items()}
    with run_prometheus(METRICS_TOKEN, addresses, every_s=SCRAPE_S) as server:
        yield Watcher(server)
