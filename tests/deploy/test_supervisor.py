"""What starts servers again that die, as `make cluster` and the soak do."""

from pathlib import Path

import psutil

from tests.servers.process import Command, wait_until
from tests.servers.supervisor import Supervisor

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
