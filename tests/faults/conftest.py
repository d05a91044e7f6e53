"""Servers and one running installation that the tests of this room share: starting takes longer than a test.

Each test works with users of its own and leaves nothing running or waiting.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.site import Site, new_site, until
from tests.plugins.servers import needing_servers
from tests.servers import run_postgresql, run_redis
from tests.servers.postgres import SURVIVES_ITS_OWN_DEATH
from tests.servers.process import scratch_folder
from tests.servers.switch import Switch

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process runs them all, one after the other."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("faults"))


@dataclass(frozen=True)
class Servers:
    """What can be switched off under the installation."""

    postgres: Switch
    postgres_url: str
    redis: Switch
    redis_url: str


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    postgres, redis = Switch(), Switch()
    with ExitStack() as stack, needing_servers():
        postgres_url = stack.enter_context(run_postgresql(run=postgres.run, settings=SURVIVES_ITS_OWN_DEATH))
        redis_url = stack.enter_context(run_redis(run=redis.run))
        yield Servers(postgres, postgres_url, redis, redis_url)


WORKERS = 2


@pytest.fixture(scope="session")
def shared_site(servers: Servers) -> Iterator[Site]:
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder("faults"))
        made = stack.enter_context(new_site(folder, servers.postgres_url, servers.redis_url))
        made.started(stack, made.web(), *(made.worker(f"worker-{number}") for number in range(WORKERS)))
        yield made


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    """One web process and two workers, which render one item each at a time, all of them there and idle.

    Whatever an earlier test has killed is back, and what a failed one has left is ended.
    """
    until(shared_site.is_up, bool)
    shared_site.until_all_work(WORKERS)
    yield shared_site
    until(shared_site.is_up, bool)
    shared_site.end_everything()
