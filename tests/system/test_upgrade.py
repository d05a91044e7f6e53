"""A release takes over while the one before works: nobody waits for it, and nothing is lost."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.plugins.environment import ROOT
from tests.support.live import clean_environment, manage
from tests.support.many_rows import IMAGES, TABLES, columns, copy_batch
from tests.system.test_many_machines import fresh_database

pytestmark = [pytest.mark.slow, pytest.mark.serial]

BEFORE = ("videos", "0022_engine_limit_claims")
"""What the release before had: the five newest migrations of the videos come after it."""
BATCHES = 10_000
BACKUP_S = 5.0
"""Longer than anybody may be made to wait: a backup reads every table in one transaction."""
LONGEST_ANSWER_S = 4.0
"""Less than the backup takes. Locks are held for a second or less, on a very busy machine for three."""
LOAD_BEFORE_S = 1.0
PAUSE_S = 0.05
COMMAND_TIMEOUT_S = 300


@dataclass
class OldRelease:
    """Processes of the release before, as the database sees them: statements with the columns they knew."""

    url: str
    template: str
    ending: threading.Event = field(default_factory=threading.Event)
    names: dict[str, list[str]] = field(default_factory=dict)
    ordered: int = 0
    answers: list[tuple[float, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        with psycopg.connect(self.url) as connection:
            self.names = {table: columns(connection, table) for table in TABLES}
        acts = [self._order, self._order, self._poll, self._poll, self._list, self._finish, self._back_up]
        threads = [threading.Thread(target=self._repeat, args=[act]) for act in acts]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.ending.set()
            for thread in threads:
                thread.join()

    def _repeat(self, act: Callable[[psycopg.Connection], None]) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.ending.is_set():
                began = time.monotonic()
                try:
                    act(connection)
                except psycopg.Error as error:
                    self.failures.append(f"{act.__name__}: {error}")
                if act != self._back_up:
                    self.answers.append((time.monotonic() - began, act.__name__))
                self.ending.wait(PAUSE_S)

    def _order(self, connection: psycopg.Connection) -> None:
        with connection.transaction():
            connection.execute("SELECT credits FROM users LIMIT 1 FOR UPDATE")
            copy_batch(connection, self.names, self.template, 1)
        self.ordered += 1

    def _poll(self, connection: psycopg.Connection) -> None:
        for table, key in (("batches", "id"), ("video_items", "batch_id")):
            connection.execute(f"SELECT {self._known(table)} FROM {table} WHERE {key} = %s", [self.template])

    def _list(self, connection: psycopg.Connection) -> None:
        known = self._known("batches")
        connection.execute(f"SELECT {known} FROM batches ORDER BY created_at DESC, id DESC LIMIT 20")

    def _known(self, table: str) -> str:
        return ", ".join(self.names[table])

    def _finish(self, connection: psycopg.Connection) -> None:
        with connection.transaction():
            connection.execute("UPDATE batches SET version = version + 1 WHERE id = %s", [self.template])
            connection.execute("UPDATE video_items SET progress = 50 WHERE batch_id = %s", [self.template])

    def _back_up(self, connection: psycopg.Connection) -> None:
        with connection.transaction():
            for table in TABLES:
                connection.execute(f"SELECT 1 FROM {table} LIMIT 1")
            self.ending.wait(BACKUP_S)
        self.ending.wait(BACKUP_S)


@pytest.fixture
def environment(postgres_url: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    with fresh_database(postgres_url, migrated=False) as database:
        yield clean_environment(
            DATABASE_URL=database,
            DATA_DIR=str(tmp_path / "data"),
            PRODUCTION="false",
            BROKER_URL="redis://127.0.0.1:1/0",
        )


def run(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        command,
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_migrations_hold_nobody_up(environment: dict[str, str]) -> None:
    """100,000 videos, orders and polls all the time, a backup, and then the newest migrations."""
    run(environment, *manage("migrate", "--verbosity", "0"))
    template = run(environment, sys.executable, "-m", "tests.support.many_rows").splitlines()[-1]
    run(environment, *manage("migrate", *BEFORE, "--verbosity", "0"))
    url = environment["DATABASE_URL"]
    with psycopg.connect(url) as connection:
        names = {table: columns(connection, table) for table in TABLES}
        assert copy_batch(connection, names, template, BATCHES) == BATCHES * IMAGES
    old = OldRelease(url, template)
    with old.working():
        old.ending.wait(LOAD_BEFORE_S)
        run(environment, *manage("migrate"))
        ordered = old.ordered
        old.ending.wait(LOAD_BEFORE_S)
    assert not old.failures
    assert old.ordered > ordered, "what still runs of the release before goes on, on the new tables"
    assert max(old.answers)[0] < LONGEST_ANSWER_S, sorted(old.answers)[-5:]
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*), min(price), max(price) FROM video_items").fetchone()
    assert found == ((1 + BATCHES + old.ordered) * IMAGES, 1, 1)
