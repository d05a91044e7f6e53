"""Worker processes under one master: they come and go together, so that its supervisor starts all anew."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.plugins.environment import ROOT
from tests.servers.process import running, wait_until
from tests.support.commands import clean_environment
from tests.support.migrated import FILE, migrated_sqlite

pytestmark = pytest.mark.slow

TIMEOUT_S = 60
PATIENCE_S = 3
MODULES = ("django_dramatiq.setup", "django_dramatiq.tasks", "videos.tasks")


def registered(data: Path) -> int:
    with closing(sqlite3.connect(data / FILE)) as database:
        return int(database.execute("SELECT count(*) FROM workers").fetchone()[0])


@contextmanager
def two_worker_processes(
    folder: Path, patience_s: float = PATIENCE_S
) -> Iterator[tuple["subprocess.Popen[bytes]", list[psutil.Process]]]:
    """A master that waits for less long than in earnest, and its processes once they work."""
    migrated_sqlite(folder / "data")
    shortened = f"from videos.worker import master; master.PATIENCE_S = {patience_s}"
    code = f"import sys; {shortened}; sys.exit(master.main())"
    environment = clean_environment(
        DATA_DIR=str(folder / "data"),
        DJANGO_SETTINGS_MODULE="zhiying.settings",
        PYTHONPATH=str(ROOT),
    )
    with running(
        [sys.executable, "-c", code, "--processes", "2", "--threads", "1", *MODULES],
        ready=lambda: registered(folder / "data") == 2,
        log=folder / "log",
        environment=environment,
        cwd=ROOT,
        timeout_s=TIMEOUT_S,
    ) as master:
        yield master, psutil.Process(master.pid).children()


def test_a_frozen_process_keeps_the_master_of_a_dead_one_from_nothing(tmp_path: Path) -> None:
    """It would be waited for without end, and nobody would start all anew."""
    with two_worker_processes(tmp_path) as (master, (one, other)):
        other.suspend()
        one.kill()
        assert master.wait(TIMEOUT_S) != 0
        assert not other.is_running()
    assert f"Worker process {other.pid} does not stop" in (tmp_path / "log").read_text()


@pytest.mark.faults
def test_whoever_stops_in_time_is_not_killed(tmp_path: Path) -> None:
    with two_worker_processes(tmp_path, patience_s=60) as (master, (one, other)):
        other.suspend()
        master.terminate()
        wait_until(lambda: not one.is_running(), timeout_s=TIMEOUT_S, what="the end of one")
        assert other.is_running()
        other.resume()
        assert master.wait(TIMEOUT_S) == 0
    assert "does not stop" not in (tmp_path / "log").read_text()


@pytest.mark.faults
def test_processes_that_work_are_left_alone(tmp_path: Path) -> None:
    with two_worker_processes(tmp_path) as (master, processes):
        patient_until = time.monotonic() + PATIENCE_S + 2
        wait_until(lambda: time.monotonic() > patient_until, timeout_s=TIMEOUT_S, what="the end of patience")
        assert master.poll() is None
        assert all(process.is_running() for process in processes)
