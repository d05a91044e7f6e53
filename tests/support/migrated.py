"""Databases as migrating leaves them, made once in a run of the tests and copied from then on.

Half of what a fresh installation costs are its migrations. Those that begin with an empty database are tested
by `tests/deploy` (test_topology, test_operations_document, test_make) and `tests/system/test_upgrade.py`.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import psycopg
from filelock import FileLock

from tests.plugins.environment import SHARED
from tests.support.commands import clean_environment, manage

FILE = "zhiying.sqlite3"
TEMPLATE = "zhiying_template"


def migrated_sqlite(data_dir: Path) -> None:
    """Put a migrated database into a data folder that has none."""
    made = _folder() / FILE
    with FileLock(_folder() / "lock"):
        if not made.exists():
            with tempfile.TemporaryDirectory(dir=_folder()) as folder:
                _migrate(DATA_DIR=folder)
                (Path(folder) / FILE).rename(made)
    data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copy(made, data_dir / FILE)


@cache
def migrated_template(url: str) -> str:
    """The name of a migrated database on a server, which nobody connects to: others are copies of it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    _migrate(DATA_DIR=str(_folder()), DATABASE_URL=f"{url.rpartition('/')[0]}/{TEMPLATE}")
    return TEMPLATE


@cache
def _folder() -> Path:
    """That of the run; of this process alone where there is none, as in a measurement."""
    if SHARED in os.environ:
        return Path(os.environ[SHARED])
    folder = tempfile.mkdtemp(prefix="zhiying-migrated-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _migrate(**variables: str) -> None:
    done = subprocess.run(
        manage("migrate", "--verbosity", "0"),
        env=clean_environment(PRODUCTION="false", **variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
