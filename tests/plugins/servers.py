"""Session fixtures over `tests.servers`: a test that asks for one runs against the real thing.

A server a laptop lacks skips the test, visibly; with CI set its absence is a failure.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import pytest

from tests import servers
from tests.plugins.environment import missing

T = TypeVar("T")

SERVER_FIXTURES = ("postgres_url", "redis_url", "amqp_url", "s3_server", "s3_endpoint")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, on one xdist worker, what would otherwise be made anew by each.

    That is a server, for all tests that want one, and what the tests of one module or package share.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is not None:
            continue
        if any(name in SERVER_FIXTURES for name in getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("servers"))
        elif isinstance(item, pytest.Function) and _shares_with_its_module(item):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def _shares_with_its_module(item: pytest.Function) -> bool:
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    return any(each.scope in {"module", "package"} and each.baseid for found in fixtures for each in found)


@contextmanager
def needing_servers() -> Iterator[None]:
    """What is started within may not be installed here."""
    try:
        yield
    except servers.MissingServerError as error:
        missing(error)


def start(stack: ExitStack, server: Callable[[], AbstractContextManager[T]]) -> T:
    """Start a server for as long as `stack` lives."""
    try:
        return stack.enter_context(server())
    except servers.MissingServerError as error:
        missing(error)


@pytest.fixture(scope="session")
def server_stack() -> Iterator[ExitStack]:
    """What started during this session, stopped at its end in reverse order."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def postgres_url(server_stack: ExitStack) -> str:
    """URL of an empty PostgreSQL database."""
    return start(server_stack, servers.run_postgresql)


@pytest.fixture(scope="session")
def redis_url(server_stack: ExitStack) -> str:
    """URL of a private Redis; tests of one session share it, so use names of your own."""
    return start(server_stack, servers.run_redis)


@pytest.fixture(scope="session")
def amqp_url(server_stack: ExitStack) -> str:
    """URL of a private RabbitMQ; tests of one session share it, so use names of your own."""
    return start(server_stack, servers.run_rabbitmq)


@pytest.fixture(scope="session")
def s3_server(server_stack: ExitStack) -> servers.S3Server:
    """A private S3-compatible store with one bucket, and the keys to sign for it."""
    return start(server_stack, servers.run_s3)


@pytest.fixture(scope="session")
def s3_endpoint(s3_server: servers.S3Server) -> str:
    """The store's address alone."""
    return s3_server.endpoint_url
