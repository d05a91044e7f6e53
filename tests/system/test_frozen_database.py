"""A PostgreSQL that stands still, with all connections to it: who asks is told so, and probes answer."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import requests

from tests.plugins.servers import needing_servers
from tests.servers.postgres import run_postgresql
from tests.servers.process import wait_until
from tests.support.live import ADMIN_PASSWORD, Api, answers, web_process

pytestmark = [pytest.mark.faults, pytest.mark.slow]

THREADS = 4
CALLS = 3 * THREADS
TIMEOUT_S = 120
QUICK_S = 15
"""A bound for busy machines; a probe takes 1.5 s."""
TOKEN = "a-token-for-prometheus"


@contextmanager
def frozen(server: psutil.Process) -> Iterator[None]:
    """With all its sessions. The system goes on taking in connections to it."""
    stopped = [server]
    server.suspend()  # first, so that there are no more of them
    try:
        for session in server.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                session.suspend()
                stopped.append(session)
        yield
    finally:
        for process in stopped:
            process.resume()


def test_calls_are_refused_and_probes_answer_while_the_database_stands_still(tmp_path: Path) -> None:
    others = set(psutil.Process().children())
    with needing_servers(), run_postgresql() as url:
        (postgres,) = set(psutil.Process().children()) - others
        variables = {"DATABASE_URL": url, "METRICS_TOKEN": TOKEN, "ADMIN_PASSWORD": ADMIN_PASSWORD}
        with (
            web_process(tmp_path, threads=THREADS, **variables) as origin,
            ThreadPoolExecutor(CALLS) as pool,
        ):
            api = Api(origin)
            login = {"username": "admin", "password": ADMIN_PASSWORD}
            token = api.call("POST", "/api/auth/login", json=login).json()["token"]

            def call(_: int = 0) -> requests.Response:
                headers = {"Authorization": f"Bearer {token}"}
                return requests.get(f"{origin}/api/user/profile", headers=headers, timeout=TIMEOUT_S)

            def probe(path: str) -> requests.Response:
                began = time.monotonic()
                headers = {"Authorization": f"Bearer {TOKEN}"}
                answer = requests.get(f"{origin}{path}", headers=headers, timeout=TIMEOUT_S)
                assert time.monotonic() - began < QUICK_S, path
                return answer

            assert {answer.status_code for answer in pool.map(call, range(CALLS))} == {200}
            with frozen(postgres):
                waiting = [pool.submit(call) for _ in range(CALLS)]
                for _ in range(3):
                    assert probe("/healthz").status_code == 200
                    assert probe("/readyz").json()["status"] == "unavailable"
                    assert 'zhiying_part_up{part="database"} 0.0' in probe("/metrics").text
                wait_until(
                    lambda: call().json()["code"] == "unavailable", timeout_s=TIMEOUT_S, what="a refusal"
                )
                began = time.monotonic()
                refused = call()
                assert time.monotonic() - began < QUICK_S
                assert (refused.status_code, refused.json()["part"]) == (503, "database")
                assert int(refused.headers["Retry-After"]) > 0
                held = [one for one in waiting if not one.done()]
                assert 0 < len(held) <= THREADS - 2
            wait_until(lambda: call().status_code == 200, timeout_s=TIMEOUT_S, what="the end of it")
            assert {one.result().status_code for one in held} <= {200, 503}
            assert answers(origin)
