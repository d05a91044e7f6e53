"""The soak itself, for a third of a minute: nothing is wrong at its end, and nothing is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.test_cluster import STOP_S, cluster
from tests.servers.process import scratch_folder

pytestmark = [pytest.mark.soak, pytest.mark.slow]

SEED = "1"
MINUTES = "0.3"
BROKER = "redis"
"""It is back in a moment after each blow; RabbitMQ would be away for most of so short a time."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch_folder("soak-test") as path:
        path.chmod(0o777)
        yield path


def test_everything_is_as_it_has_to_be_after_a_third_of_a_minute_of_chaos(folder: Path) -> None:
    words = ["--seed", SEED, "--minutes", MINUTES, "--users", "4"]
    with cluster(folder, *words, module="tests.soak", BROKER=BROKER) as running:
        running.wait_until(lambda: False, "its end")
        assert running.process.wait(STOP_S) == 0, running.output
        assert "All is as it has to be." in running.output
        assert f"SEED={SEED}" in running.output
        running.assert_nothing_is_left()
