"""`make cluster`: the main job runs, what dies is started again, and the end leaves nothing behind.

`make test` does as much: the soak starts the same cluster (`test_soak.py`), `test_topology.py` has RabbitMQ.
"""

import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.plugins.environment import ROOT, missing
from tests.servers.process import log_tail, scratch_folder, wait_until
from tests.support.live import clean_environment

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.xdist_group("topology")]

TIMEOUT_S = 400
STOP_S = 120


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where everything of a cluster is: other users have to get in when root runs this."""
    with scratch_folder("cluster-test") as path:
        path.chmod(0o777)
        yield path


def left_behind(folder: Path) -> list[Path]:
    """But for the log, and the locks by which tests share ports."""
    return [path for path in folder.iterdir() if path.name != "log" and "zhiying-ports-" not in path.name]


class Cluster:
    """The command as a process, and whatever it started: servers hide their environments, so by descent."""

    def __init__(
        self, folder: Path, *words: str, module: str = "tests.servers.cluster", **variables: str
    ) -> None:
        self._log = folder / "log"
        self._folder = folder
        self._family: set[psutil.Process] = set()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *words],
                cwd=ROOT,
                env=clean_environment(TMPDIR=str(folder), **variables),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def alive(self) -> list[psutil.Process]:
        """Of all that were ever seen: called often enough, those that lost their parents too."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._family |= set(psutil.Process(self.process.pid).children(recursive=True))
        return [process for process in self._family if process.is_running()]

    def masters(self, word: str) -> list[psutil.Process]:
        """Processes with this argument that no process with the same started."""
        found = []
        for process in self.alive():
            with contextlib.suppress(psutil.Error):
                if word in process.cmdline():
                    found.append(process)
        return [process for process in found if process.ppid() not in {other.pid for other in found}]

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        def met_or_ended() -> bool:
            self.alive()
            return condition() or self.process.poll() is not None

        wait_until(met_or_ended, timeout_s=TIMEOUT_S, what=f"{what}:\n{log_tail(self._log)}")

    def assert_nothing_is_left(self) -> None:
        wait_until(lambda: not self.alive(), timeout_s=STOP_S, what=f"the end of {self.alive()}")
        assert left_behind(self._folder) == []


@contextlib.contextmanager
def cluster(
    folder: Path, *words: str, module: str = "tests.servers.cluster", **variables: str
) -> Iterator[Cluster]:
    running = Cluster(folder, *words, module=module, **variables)
    try:
        yield running
    except AssertionError:
        if "is not installed" in running.output:
            missing(running.output.strip())
        raise
    finally:
        running.alive()  # whom to kill is known only while their parents live
        running.process.terminate()
        try:
            running.process.wait(STOP_S)
        finally:
            for process in running.alive():
                process.kill()


def test_it_does_the_main_job_once_and_leaves_nothing(folder: Path) -> None:
    with cluster(folder, "--once", BROKER="redis") as running:
        running.wait_until(lambda: False, "its end")
        assert "2 portraits became videos" in running.output, running.output
        assert running.process.wait(STOP_S) == 0
        running.assert_nothing_is_left()


def test_what_dies_is_started_again_and_sigterm_ends_it(folder: Path) -> None:
    """In short, with a server that does nothing: `test_supervisor.py`."""
    with cluster(folder, BROKER="rabbitmq") as running:
        running.wait_until(lambda: "stop it" in running.output, "the cluster")
        readiness = re.findall(r"http://127\.0\.0\.1:\d+/readyz", running.output)
        assert len(readiness) == 2, running.output
        servers = {"web": "deploy/gunicorn.conf.py", "worker": "videos.worker.master"}
        for word in servers.values():
            first, *others = running.masters(word)
            assert len(others) == 1
            first.kill()

        def all_well() -> bool:
            with contextlib.suppress(requests.RequestException):
                return all(requests.get(url, timeout=5).json()["status"] == "ok" for url in readiness)
            return False

        running.wait_until(
            lambda: all(len(running.masters(word)) == 2 for word in servers.values()) and all_well(),
            "everything to be as it was",
        )
        assert running.output.count("is started again") == len(servers), running.output
        running.process.terminate()
        assert running.process.wait(STOP_S) == 0, running.output
        running.assert_nothing_is_left()
