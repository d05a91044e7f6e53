"""Run the Django tests on a private PostgreSQL: `python -m pytest -p tests.plugins.postgres -m postgresql`.

The server has to be up and DATABASE_URL set before Django's settings are read, which pytest-django
does very early; hence a plugin named on the command line rather than a fixture. With xdist only the
controlling process starts one: its workers inherit the address.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.plugins.environment import in_ci
from tests.servers import MissingServerError, run_postgresql

MISSING_VARIABLE = "ZHIYING_TESTS_WITHOUT_POSTGRESQL"
"""Why there is no server, told to xdist's workers the way they also learn DATABASE_URL."""

_servers = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Start the server, or note that there is none."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    try:
        os.environ["DATABASE_URL"] = _servers.enter_context(run_postgresql())
    except MissingServerError as missing:
        if in_ci():
            raise pytest.UsageError(f"{missing}, and CI has to run the tests marked postgresql") from None
        os.environ[MISSING_VARIABLE] = str(missing)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a server skip every selected test, saying why, rather than run it on another database."""
    missing = os.environ.get(MISSING_VARIABLE)
    for item in items if missing else []:
        item.add_marker(pytest.mark.skip(reason=f"{missing} on this machine"))


@pytest.fixture(scope="session", autouse=True)
def _nobody_holds_the_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Threads of the application live as long as the process; their connections forbid its removal."""
    request.getfixturevalue("django_db_setup")
    yield
    from django.db import connection

    with request.getfixturevalue("django_db_blocker").unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def pytest_report_header() -> str:
    """Say at the top what the tests run on."""
    return f"database: {os.environ.get(MISSING_VARIABLE, 'a private PostgreSQL')}"


def pytest_unconfigure() -> None:
    """Stop the server after the last test, or after a failed collection."""
    _servers.close()
