"""What Prometheus sees of an installation: two web processes, and a machine with two worker processes."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
import requests

from tests.plugins.servers import needing_servers
from tests.servers.process import LOOPBACK, accepts_connections, scratch_folder, wait_until
from tests.servers.prometheus import (
    Prometheus,
    alert_rules,
    dashboard_panels,
    run_prometheus,
    selectors,
    without_variables,
)
from tests.servers.topology import HOST_NAME, Topology
from tests.standins.observers import Collector, Span
from tests.support.live import Api
from tests.support.media import short_speech, small_portrait
from tests.system.test_many_machines import fresh_database

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("figures")]

TIMEOUT_S = 120
TOKEN = "a-token-for-prometheus"
IMAGES = 6


@dataclass
class Observed:
    """An installation that made a batch, and where to scrape it."""

    topology: Topology
    collector: Collector
    batch_id: str

    def scrape(self, port: int, token: str = TOKEN) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"http://{LOOPBACK}:{port}/metrics", headers=headers, timeout=TIMEOUT_S)

    def web(self) -> str:
        return self.scrape(self.topology.web_ports[0]).text

    def worker(self) -> str:
        return self.scrape(self.worker_port).text

    @property
    def worker_port(self) -> int:
        return self.topology.metrics_ports[0]


def value(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's series that have these labels."""
    series = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", text, re.MULTILINE)
    wanted = [f'{label}="{content}"' for label, content in labels.items()]
    return sum(float(number) for found, number in series if all(pair in found.split(",") for pair in wanted))


def told(collector: Collector) -> Mapping[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20a-key,x-tenant=us",
        "METRICS_TOKEN": TOKEN,
        "WORKER_METRICS_PORT": "9101",  # in its container; each has a port of its own here
        "WORKER_PROCESSES": "2",
        "WORKER_THREADS": "1",
        "RENDER_THREADS": "1",
    }


@pytest.fixture(scope="module")
def observed(postgres_url: str, amqp_url: str) -> Iterator[Observed]:
    with (
        scratch_folder("figures") as folder,
        fresh_database(postgres_url) as database,
        Collector().serving() as collector,
    ):
        topology = Topology(folder, database, amqp_url, told(collector))
        topology.setup()
        with topology.service("web"), topology.service("worker"):
            (port,) = topology.metrics_ports
            wait_until(lambda: accepts_connections(port), timeout_s=TIMEOUT_S, what="the worker's figures")
            yield Observed(topology, collector, make_videos(topology))


def make_videos(topology: Topology) -> str:
    api = Api(f"http://{LOOPBACK}:{topology.web_ports[0]}")
    # As nginx passes requests on.
    proxied = {"Host": HOST_NAME, "X-Forwarded-For": "10.0.0.9", "X-Forwarded-Proto": "https"}
    api.session.headers.update(proxied)
    login = {"username": "admin", "password": topology.admin_password}
    answer = api.call("POST", "/api/auth/login", json=login)
    assert answer.status_code == 200, answer.text
    api.session.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    batch_id = api.submit({f"{n}.jpg": small_portrait() for n in range(IMAGES)}, short_speech())
    batch = api.wait(batch_id)
    assert batch["status"] == "completed", batch["items"]
    return batch_id


def test_the_worker_tells_the_sum_of_its_processes(observed: Observed) -> None:
    text = observed.worker()
    assert value(text, "zhiying_renders_total", engine="portrait", outcome="completed") == IMAGES
    assert value(text, "zhiying_render_seconds_count", engine="portrait") == IMAGES
    assert value(text, "zhiying_wait_seconds_count", engine="portrait") == IMAGES
    files = list((observed.topology.folder / "tmp-worker-1").glob("zhiying-metrics-*/counter_*.db"))
    assert len(files) == 2, "both worker processes count"


def test_a_master_has_no_process_but_those_whose_death_it_notices(observed: Observed) -> None:
    """Which then ends it: `test_the_death_of_the_process_that_answers_ends_the_master`."""
    pid_file = observed.topology.folder / "tmp-worker-1" / "zhiying-worker.pid"
    children = psutil.Process(int(pid_file.read_text())).children()
    assert len(children) == int(told(observed.collector)["WORKER_PROCESSES"])


def test_series_exist_before_anything_happened(observed: Observed) -> None:
    text = observed.worker()
    assert 'zhiying_sweep_repairs_total{kind="items_taken_back"} 0.0' in text
    assert 'zhiying_trouble_total{part="broker"} 0.0' in text
    assert 'zhiying_renders_total{engine="portrait",outcome="failed"} 0.0' in text


def test_every_web_process_tells_credits_and_the_queue(observed: Observed) -> None:
    for _ in range(12):
        text = observed.web()
        assert value(text, "zhiying_credits_charged_total") == IMAGES
        assert value(text, "zhiying_queue_items", engine="portrait", status="pending") == 0
        assert value(text, "zhiying_workers", state="ready") == 2
        route = {"view": "api/video/batch", "method": "POST"}
        assert value(text, "django_http_requests_latency_seconds_by_view_method_count", **route) == 1


def test_a_file_that_a_killed_process_left_empty_hides_no_figures(observed: Observed) -> None:
    for service, scrape in (("web", observed.web), ("worker", observed.worker)):
        (folder,) = (observed.topology.folder / f"tmp-{service}-1").glob("zhiying-metrics-*")
        empty = folder / "counter_99.db"
        empty.touch()
        try:
            assert "zhiying_trouble_total" in scrape(), service
        finally:
            empty.unlink()


def trace_of(observed: Observed) -> list[Span]:
    """All spans of the trace that the batch's items belong to, as far as they have arrived."""
    spans = observed.collector.spans()
    attempts = [span for span in spans if span.facts.get("zhiying.batch") == observed.batch_id]
    return [span for span in spans if attempts and span.trace == attempts[0].trace]


def test_one_trace_leads_from_the_request_to_the_finished_videos(observed: Observed) -> None:
    wait_until(
        lambda: (
            [span.name for span in trace_of(observed)].count("attempt") == IMAGES
            and any(not span.parent for span in trace_of(observed))
        ),
        timeout_s=TIMEOUT_S,
        what="the spans of web and worker processes",
    )
    spans = trace_of(observed)
    (request,) = [span for span in spans if not span.parent]
    assert request.name == "POST api/video/batch"
    assert request.facts["http.response.status_code"] == 201
    attempts = [span for span in spans if span.parent == request.id]
    assert {span.name for span in attempts} == {"attempt"}
    assert len({span.facts["zhiying.item"] for span in attempts}) == IMAGES
    for attempt in attempts:
        parts = sorted((span for span in spans if span.parent == attempt.id), key=lambda span: span.began_ns)
        assert [span.name for span in parts] == ["wait", "fetch", "render", "store"]
        assert all(span.began_ns <= span.ended_ns for span in parts)
    assert not any(span.failed for span in spans)


def test_the_collector_is_told_its_headers_and_nothing_of_people(observed: Observed) -> None:
    wait_until(
        lambda: bool(observed.collector.asked("POST", "/v1/traces")), timeout_s=TIMEOUT_S, what="a trace"
    )
    requests_seen = observed.collector.asked("POST", "/v1/traces")
    assert {seen.headers["authorization"] for seen in requests_seen} == {"Bearer a-key"}
    everything = b"".join(seen.body for seen in requests_seen)
    for private in ("admin", observed.topology.admin_password, "10.0.0.9", "0.jpg"):
        assert private.encode() not in everything


@pytest.fixture(scope="module")
def prometheus(observed: Observed) -> Iterator[Prometheus]:
    """A Prometheus that has seen the installation often enough for a rate."""
    targets = {
        "zhiying-web": [f"{LOOPBACK}:{observed.topology.web_ports[0]}"],
        "zhiying-worker": [f"{LOOPBACK}:{observed.worker_port}"],
    }
    with needing_servers(), run_prometheus(TOKEN, targets) as server:
        seen = "min(count_over_time(up[1m])) >= 3 and count(up == 1) == 2"
        wait_until(lambda: bool(server.query(seen)), timeout_s=TIMEOUT_S, what="three scrapes of each")
        yield server


def test_every_figure_that_an_alert_reads_exists(prometheus: Prometheus) -> None:
    """Save those of answers that nobody got."""
    missing = [
        selector
        for rule in alert_rules()
        for selector in selectors(rule["expr"])
        if not prometheus.query(f"count({selector.replace('500', '200')})")
    ]
    assert missing == []


def test_a_healthy_installation_raises_no_alert(prometheus: Prometheus) -> None:
    wait_until(
        lambda: all(rule["lastEvaluation"] > "1" for rule in rules_of(prometheus)),
        timeout_s=TIMEOUT_S,
        what="an evaluation of every rule",
    )
    assert {rule["name"]: (rule["health"], rule["state"]) for rule in rules_of(prometheus)} == {
        rule["alert"]: ("ok", "inactive") for rule in alert_rules()
    }


def rules_of(prometheus: Prometheus) -> list[Mapping[str, Any]]:
    return [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]


def test_every_panel_of_the_dashboard_shows_something(prometheus: Prometheus) -> None:
    panels = [panel for panel in dashboard_panels() if panel["type"] != "row"]
    assert len(panels) > 12
    empty = [
        (panel["title"], target["expr"])
        for panel in panels
        for target in panel["targets"]
        if not prometheus.query(without_variables(target["expr"]))
    ]
    assert empty == []
    assert all(panel["description"] for panel in panels)
    assert len({panel["id"] for panel in dashboard_panels()}) == len(dashboard_panels())


def test_the_number_of_series_is_bounded(prometheus: Prometheus) -> None:
    """About 30 for each route that was asked for; the rest does not depend on what is asked."""
    counts = {
        found["metric"]["job"]: float(found["value"][1])
        for found in prometheus.query('count by (job) ({job=~"zhiying-.*"})')
    }
    assert counts["zhiying-worker"] < 150, counts
    assert counts["zhiying-web"] < 800, counts


def test_workers_figures_are_for_the_bearer_of_the_token(observed: Observed) -> None:
    assert observed.scrape(observed.worker_port, "wrong").status_code == 403
    elsewhere = requests.get(f"http://{LOOPBACK}:{observed.worker_port}/", timeout=TIMEOUT_S)
    assert elsewhere.status_code == 404


@contextmanager
def another_worker(topology: Topology) -> Iterator["tuple[subprocess.Popen[bytes], int]"]:
    """A second machine's master, once it tells figures, and their port."""
    with topology.service("worker", 2) as process:
        port = topology.metrics_ports[1]
        wait_until(lambda: accepts_connections(port), timeout_s=TIMEOUT_S, what="the second's figures")
        yield process, port


@pytest.mark.faults
def test_the_figures_end_with_the_master(observed: Observed) -> None:
    with another_worker(observed.topology) as (process, port):
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        _, alive = psutil.wait_procs(children, timeout=TIMEOUT_S)
        assert not alive, alive
    assert not accepts_connections(port)


@pytest.mark.faults
def test_the_death_of_the_process_that_answers_ends_the_master(observed: Observed) -> None:
    """What nobody notices would stay away, and the health check would fail until somebody looks."""
    with another_worker(observed.topology) as (process, port):
        children = psutil.Process(process.pid).children()
        assert len(children) == int(told(observed.collector)["WORKER_PROCESSES"])
        (answering,) = (
            child
            for child in children
            if any(held.laddr.port == port for held in child.net_connections() if held.status == "LISTEN")
        )
        answering.kill()
        assert process.wait(TIMEOUT_S) != 0
