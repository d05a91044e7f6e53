"""What starts servers again that die, as `make cluster` and the soak do."""

from pathlib import Path

import psutil
import pytest

from tests.servers.process import Command, ServerError, wait_until
from tests.servers.supervisor import Supervisor
from tests.support.processes import is_running

TIMEOUT_S = 60


def test_what_dies_is_started_again_until_the_end(tmp_path: Path) -> None:
    told: list[str] = []
    log = tmp_path / "log"
    command = Command(["/bin/sh", "-c", "echo $$; exec sleep 600"], log)

    def started() -> list[int]:
        return [int(line) for line in log.read_text().split()]

    with Supervisor(told.append).run(command, ready=lambda: bool(started())) as first:
        first.kill()
        wait_until(lambda: len(started()) == 2, timeout_s=TIMEOUT_S, what="its successor")
        successor = psutil.Process(started()[1])
        assert successor.is_running()
    assert not successor.is_running()
    assert len(started()) == 2, "the end is no death"
    assert len(told) == 1
    assert "is started again" in told[0]


class WentWrongError(Exception):
    """A test fails while its servers run."""


@pytest.mark.parametrize("already", ["begun", "started again"])
def test_what_goes_wrong_meanwhile_leaves_nothing_running(tmp_path: Path, already: str) -> None:
    log = tmp_path / "log"
    # With a child of its own, which does not end with it.
    command = Command(["/bin/sh", "-c", "sleep 600 & echo $$ $!; wait"], log)

    def seen() -> list[int]:
        return [int(word) for word in log.read_text().split()]

    wanted = {"begun": 2, "started again": 4}[already]

    def go_wrong() -> None:
        with Supervisor(lambda _: None).run(command, ready=lambda: bool(seen())) as first:
            if already == "started again":
                first.kill()
            wait_until(lambda: len(seen()) == wanted, timeout_s=TIMEOUT_S, what="both processes")
            raise WentWrongError

    with pytest.raises(WentWrongError):
        go_wrong()
    wait_until(lambda: not any(map(is_running, seen())), timeout_s=TIMEOUT_S, what=f"the end of {seen()}")
    assert len(seen()) == wanted


def test_a_first_start_that_fails_leaves_nothing_running(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = Command(["/bin/sh", "-c", "echo $$; exec sleep 600"], log)
    with (
        pytest.raises(ServerError),
        Supervisor(lambda _: None).run(command, ready=lambda: False, timeout_s=0.5),
    ):
        raise AssertionError("it is not ready")
    (pid,) = (int(line) for line in log.read_text().split())
    assert not psutil.pid_exists(pid)
