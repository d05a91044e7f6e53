"""Keep tests away from the developer's own data: a temporary DATA_DIR and no application settings.

Named in pytest.ini's `addopts`, because Django's settings read the environment before any conftest
is imported. Each xdist worker gets a folder of its own.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED_VARIABLES = ROOT / ".env.example"

SHARED = "ZHIYING_TESTS_SHARED"
"""Names the folder of what all processes of one run make once, such as a migrated database."""

given: dict[str, str] = {}
"""What the environment said before it was put aside; for tests against servers that somebody names."""

_folders: list[Path] = []


def documented_variables(text: str) -> set[str]:
    """Names of all variables in a .env file, those in comments too."""
    return set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


def in_ci() -> bool:
    """Whether a missing server is a failure rather than a skip."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def missing(what: object) -> NoReturn:
    """Skip, visibly, for want of something that a laptop may lack; with CI set that is a failure."""
    if in_ci():
        pytest.fail(f"{what}, and CI has to run this test", pytrace=False)
    pytest.skip(f"{what} on this machine")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Before Django's settings are loaded, and before the plugin that may choose PostgreSQL."""
    if "PYTEST_XDIST_WORKER" not in os.environ:  # a worker inherits what its controller decided
        for name in documented_variables(DOCUMENTED_VARIABLES.read_text()):
            if name in os.environ:
                given[name] = os.environ.pop(name)
        os.environ["PRODUCTION"] = "false"
        # A race is between as many threads as a test wants; the limit on slow requests has its own tests.
        os.environ["WEB_THREADS"] = "200"
        _folders.append(Path(tempfile.mkdtemp(prefix="zhiying-tests-shared-")))
        os.environ[SHARED] = str(_folders[-1])
    _folders.append(Path(tempfile.mkdtemp(prefix="zhiying-tests-")))
    os.environ["FACE_CHECK"] = "0"  # most tests send pictures without faces, which are quicker
    os.environ["DATA_DIR"] = str(_folders[-1])
    return (yield)


def pytest_unconfigure() -> None:
    """Remove the folders."""
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)
