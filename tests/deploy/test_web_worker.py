"""A web process that is told to stop answers whoever has come by then."""

import contextlib
import http.client
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.plugins.environment import ROOT
from tests.servers.process import LOOPBACK, free_port, running
from tests.support.live import START_TIMEOUT_S, answers, clean_environment

pytestmark = [pytest.mark.slow]

AT_THE_DOOR = 8
TIMEOUT_S = 60


def test_whoever_is_at_the_door_is_served(tmp_path: Path) -> None:
    port = free_port()
    environment = clean_environment(
        PORT=str(port), WEB_PROCESSES="1", BROKER_URL="redis://none.invalid", DATA_DIR=str(tmp_path / "data")
    )
    environment["PRODUCTION"] = "false"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        ROOT / "deploy" / "gunicorn.conf.py",
    ]
    with running(
        command,
        ready=lambda: answers(f"http://{LOOPBACK}:{port}", "/healthz"),
        log=tmp_path / "log",
        environment=environment,
        cwd=ROOT,
        timeout_s=START_TIMEOUT_S,
    ) as master:
        (worker,) = psutil.Process(master.pid).children()
        worker.suspend()  # the system takes connections in, and nobody reads them
        waiting = [http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_S) for _ in range(AT_THE_DOOR)]
        for connection in waiting:
            connection.request("GET", "/healthz")
        os.kill(master.pid, signal.SIGTERM)
        worker.resume()
        assert [_status(connection) for connection in waiting] == [200] * AT_THE_DOOR
        assert master.wait(TIMEOUT_S) == 0


def _status(connection: http.client.HTTPConnection) -> int:
    """0 where nobody answers."""
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        return connection.getresponse().status
    return 0
