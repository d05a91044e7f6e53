"""The compose file's own settings, run as processes: an operator's installation does its main job."""

import contextlib
import json
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest
import requests

from tests.plugins.servers import needing_servers
from tests.servers.nginx import Nginx
from tests.servers.process import LOOPBACK, scratch_folder, wait_until
from tests.servers.topology import HOST_NAME, Topology
from tests.support.main_job import ProxiedApi, do_main_job
from tests.support.slow_uploads import SlowUploads
from tests.system.test_many_machines import fresh_database

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("topology")]

TIMEOUT_S = 120
ENOUGH_CALLS = 20
"""For each web process to get some."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass
class Installation:
    """A running topology and the way in."""

    topology: Topology
    nginx: Nginx

    def api(self) -> ProxiedApi:
        return ProxiedApi(self.nginx)

    def is_ready(self) -> bool:
        """Whether all web processes say so: each finds out by itself, and any of them may answer."""
        return all(self.web("/readyz").json() == {"status": "ok", "failed": []} for _ in range(ENOUGH_CALLS))

    def web(self, path: str, **headers: str) -> requests.Response:
        """Asks the web process itself, past nginx, by a bare address."""
        return requests.get(
            f"http://{LOOPBACK}:{self.topology.web_ports[0]}{path}", headers=headers, timeout=TIMEOUT_S
        )


@pytest.fixture(scope="module")
def installation(postgres_url: str, amqp_url: str) -> Iterator[Installation]:
    # Not a folder of pytest's, which no other user may enter: nginx's workers are one when root runs this.
    with scratch_folder("topology") as folder, fresh_database(postgres_url, migrated=False) as database:
        folder.chmod(0o755)
        topology = Topology(folder, database, amqp_url)
        with needing_servers(), topology.up() as nginx:
            yield Installation(topology, nginx)


# --- The main job -----------------------------------------------------------------------------------


def test_portraits_become_videos_through_nginx(installation: Installation) -> None:
    api = installation.api().login(installation.topology.admin_password)
    batch, _ = do_main_job(api)
    url = batch["items"][0]["videoUrl"]
    assert url.startswith(f"https://{HOST_NAME}:{installation.nginx.https_port}/media/")
    whole = api.call("GET", url)
    part = api.call("GET", url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert "ETag" in whole.headers, "nginx sends the file, not Python"
    archive = api.call("GET", api.get(f"/api/video/batches/{batch['id']}/export")["zip_url"])
    assert archive.content[:2] == b"PK"


def test_setup_may_run_again(installation: Installation) -> None:
    assert "administrator already" in installation.topology.setup()


def test_the_web_application_and_the_admin_site_are_there(installation: Installation) -> None:
    api = installation.api()
    page = api.call("GET", "/")
    assert "<script" in page.text
    script = re.search(r'src="(/static/assets/[^"]+\.js)"', page.text)
    assert script
    assert api.call("GET", script[1]).status_code == 200
    login = api.call("GET", "/admin/login/")
    style = re.search(r'href="(/static/admin/[^"]+\.css)"', login.text)
    assert style
    assert api.call("GET", style[1]).status_code == 200
    assert all(cookie.secure for cookie in login.cookies)
    assert "max-age=31536000" in login.headers["Strict-Transport-Security"]


def test_readiness_is_full(installation: Installation) -> None:
    wait_until(installation.is_ready, timeout_s=TIMEOUT_S, what="every part")
    response, body = installation.nginx.request("GET", "/readyz", headers={"Host": LOOPBACK})
    assert (response.status, json.loads(body)) == (200, {"status": "ok", "failed": []})


def test_metrics_are_not_public(installation: Installation) -> None:
    response, _ = installation.nginx.request("GET", "/metrics")
    assert response.status == 403
    assert "zhiying_part_up" in installation.web("/metrics").text


# --- Health checks ----------------------------------------------------------------------------------


def test_a_frozen_worker_is_not_healthy(installation: Installation) -> None:
    topology = installation.topology
    assert topology.health("worker").returncode == 0
    pid = int((topology.folder / "tmp-worker-1" / "zhiying-worker.pid").read_text())
    child = psutil.Process(pid).children()[-1]
    child.suspend()
    try:
        assert topology.health("worker").returncode != 0
    finally:
        child.resume()
    assert topology.health("worker").returncode == 0
    assert topology.health("worker", 2).returncode != 0, "there is no second one"


def test_nothing_is_healthy_that_does_not_run(installation: Installation) -> None:
    assert installation.topology.health("web").returncode == 0
    assert installation.topology.health("web", 2).returncode != 0


# --- Several processes ------------------------------------------------------------------------------


def counted(installation: Installation) -> float:
    text = installation.web("/metrics").text
    found = re.search(r"^django_http_requests_before_middlewares_total (\S+)", text, re.MULTILINE)
    assert found, text
    return float(found[1])


def test_counters_are_those_of_all_processes_and_never_go_backwards(installation: Installation) -> None:
    topology = installation.topology
    before = counted(installation)
    for _ in range(40):
        installation.web("/api/schema-that-is-not-there", Host=HOST_NAME)
    seen = [counted(installation) for _ in range(12)]
    assert set(seen) == {before + 40}, "each process tells the sum"
    master = next(
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get("PORT") == str(topology.web_ports[0]) and process.children()
    )
    for child in master.children():
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(psutil.NoSuchProcess):
            child.wait(TIMEOUT_S)
    wait_until(
        lambda: topology.health("web").returncode == 0 and len(master.children()) == 2,
        timeout_s=TIMEOUT_S,
        what="their successors",
    )
    assert counted(installation) >= before + 40
    files = list(Path(topology.folder / "tmp-web-1").glob("zhiying-metrics-*/*.db"))
    assert len({file.stem.rpartition("_")[2] for file in files}) <= 2, "as many as processes"


def test_logs_of_all_parts_are_json_and_tell_the_time_alike(installation: Installation) -> None:
    installation.api().call("GET", "/healthz")
    for service in ("web", "worker"):
        lines = installation.topology.log(service).read_text().splitlines()
        assert lines
        for line in map(json.loads, lines):
            assert MOMENT.fullmatch(line["time"]), line
            assert {"level", "logger", "message", "process"} <= set(line)
    assert all("+00:00 " in line for line in installation.nginx.access_log.splitlines())


# --- Outages ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def database_away(url: str) -> Iterator[None]:
    """Nobody can connect, and whoever was is thrown out."""
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield
        finally:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_while_the_database_is_away_answers_say_when_to_come_again(installation: Installation) -> None:
    topology = installation.topology
    api = installation.api().login(topology.admin_password)
    with database_away(topology.database_url):
        answers = [
            api.call("GET", "/api/video/batches"),
            api.call("POST", "/api/auth/login", json={"username": "admin", "password": "x"}),
            api.call("POST", "/api/video/batch", files=[("images", ("a.jpg", b"x"))]),
        ]
        for answer in answers:
            assert answer.status_code == 503, answer.text
            assert answer.json()["code"] == "unavailable"
            assert int(answer.headers["Retry-After"]) > 0
        page = api.call("GET", "/admin/", cookies={"sessionid": "x" * 32})
        assert page.status_code == 503
        assert page.headers["Content-Type"].startswith("text/html")
        wait_until(
            lambda: all(
                installation.web("/readyz").json() == {"status": "unavailable", "failed": ["database"]}
                for _ in range(ENOUGH_CALLS)
            ),
            timeout_s=TIMEOUT_S,
            what="the news, in both processes",
        )
        assert installation.web("/readyz").status_code == 503
        assert installation.web("/healthz").status_code == 200
        wait_until(
            lambda: 'zhiying_part_up{part="database"} 0.0' in installation.web("/metrics").text,
            timeout_s=TIMEOUT_S,
            what="the figure, in whichever process answers",
        )
        assert topology.health("web").returncode == 0, "restarting would not help"
    assert api.call("GET", "/api/video/batches").status_code == 200
    wait_until(installation.is_ready, timeout_s=TIMEOUT_S, what="the end")


# --- Slow uploads -----------------------------------------------------------------------------------

SLOW_UPLOADS = 100
CALM_S = 0.5


def test_a_hundred_slow_uploads_hold_no_thread_that_answers(installation: Installation) -> None:
    api = installation.api().login(installation.topology.admin_password)
    batches = api.get("/api/video/batches")["batches"]
    poll = f"/api/video/batches/{batches[0]['id']}" if batches else "/api/user/profile"
    durations = []
    token = str(api.session.headers["Authorization"])
    port = installation.nginx.https_port
    with SlowUploads(SLOW_UPLOADS, port, token, server_name=HOST_NAME) as uploads:
        for _ in range(10):
            uploads.trickle()
            for path in (poll, "/healthz", "/readyz"):
                began = time.monotonic()
                assert api.call("GET", path).status_code == 200
                durations.append(time.monotonic() - began)
    durations.sort()
    # A busy machine delays single answers; a thread that is held delays every one, and for seconds.
    assert durations[len(durations) // 2] < CALM_S, durations
    assert durations[-2] < CALM_S * 4, durations
