"""Web processes and workers are replaced one after the other while users work: no answer tells of it."""

import contextlib
import random
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.plugins.servers import needing_servers
from tests.servers import S3Server
from tests.servers.nginx import Nginx
from tests.servers.process import scratch_folder, wait_until
from tests.servers.topology import Topology
from tests.soak.clients import Client, make_users
from tests.soak.journal import NO_ANSWER, OUTAGES, Journal
from tests.soak.settings import VARIABLES
from tests.support.main_job import ProxiedApi
from tests.system.test_many_machines import fresh_database

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.xdist_group("topology")]

SEED = 1
USERS = ("mei", "tom", "ada")
WEB = (1, 2)
SETTLED_WITHIN_S = 120
CLIENTS_END_WITHIN_S = 60
ASKED_AGAIN_WITHIN_S = 60
"""nginx leaves out a server that refused a connection for ten seconds."""


class Services:
    """Those of a topology, each to be stopped and started by itself."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._running: dict[tuple[str, int], contextlib.ExitStack] = {}

    def start(self, service: str, number: int) -> None:
        stack = self._running[service, number] = contextlib.ExitStack()
        stack.enter_context(self._topology.service(service, number))

    def restart(self, service: str, number: int) -> None:
        self._running.pop((service, number)).close()
        self._topology.log(service, number).unlink()
        self.start(service, number)

    def stop(self) -> None:
        with contextlib.ExitStack() as all_of_them:
            for stack in self._running.values():
                all_of_them.push(stack)


@contextlib.contextmanager
def installed(database: str, broker: str, s3: S3Server) -> Iterator[tuple[Topology, Services, Nginx]]:
    store = {
        "S3_BUCKET": s3.bucket,
        "S3_ENDPOINT_URL": s3.endpoint_url,
        "S3_ACCESS_KEY_ID": s3.access_key,
        "S3_SECRET_ACCESS_KEY": s3.secret_key,
        "S3_REGION": s3.region,
        "S3_PREFIX": "rolling",
    }
    with scratch_folder("rolling") as folder, contextlib.ExitStack() as stack:
        folder.chmod(0o755)
        topology = Topology(folder, database, broker, extra={**VARIABLES, **store, "WEB_PROCESSES": "1"})
        topology.setup()
        services = Services(topology)
        stack.callback(services.stop)
        for number in WEB:
            services.start("web", number)
        services.start("worker", 1)
        with needing_servers():
            nginx = stack.enter_context(topology.nginx())
        yield topology, services, nginx


@contextlib.contextmanager
def users_working(topology: Topology, nginx: Nginx, journal: Journal) -> Iterator[list[Client]]:
    ending, scripts = threading.Event(), topology.folder / "scripts"
    scripts.mkdir()
    make_users(ProxiedApi(nginx).login(topology.admin_password), USERS)
    clients = [
        Client(name, nginx, journal, random.Random(f"{SEED} {name}"), scripts, ending) for name in USERS
    ]
    assert all(client.log_in() for client in clients)
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        ending.set()
        for thread in threads:
            thread.join(CLIENTS_END_WITHIN_S)
        assert not any(thread.is_alive() for thread in threads)


def is_asked(log: Path) -> bool:
    """Whether a web process that was started anew gets calls."""
    return "/api/" in log.read_text()


def test_no_user_notices(postgres_url: str, redis_url: str, s3_server: S3Server) -> None:
    journal = Journal()
    with (
        fresh_database(postgres_url) as database,
        installed(database, redis_url, s3_server) as (topology, services, nginx),
    ):
        with users_working(topology, nginx, journal) as clients:
            for number in WEB:
                services.restart("web", number)
                asked = partial(is_asked, topology.log("web", number))
                wait_until(asked, timeout_s=ASKED_AGAIN_WITHIN_S, what="the proxy to ask it again")
            services.restart("worker", 1)
        troubled = {call: n for call, n in journal.answers.items() if call[1] in {NO_ANSWER, *OUTAGES}}
        assert not journal.faults
        assert not troubled
        assert sum(len(client.orders) for client in clients) > len(USERS)
        with psycopg.connect(database, autocommit=True) as connection:

            def all_final() -> bool:
                open_items = "SELECT 1 FROM video_items WHERE status IN ('pending', 'processing')"
                return not connection.execute(open_items).fetchall()

            wait_until(all_final, timeout_s=SETTLED_WITHIN_S, what="every item to be final")
            kept = {str(row[0]) for row in connection.execute("SELECT id FROM batches").fetchall()}
        assert kept == {order.batch_id for client in clients for order in client.open}
        assert topology.run("web", "python", "manage.py", "audit_credits").returncode == 0
