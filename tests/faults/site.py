"""An installation to break: web and worker processes on a private database, with short leases.

Its processes are started again when they die, as a container engine does it.
Its engine does what a prompt says.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, TypeVar
from uuid import uuid4

import psutil
import psycopg
from psycopg.rows import dict_row

from tests.plugins.environment import ROOT
from tests.servers.process import LOOPBACK, POLL_INTERVAL_S, Command, ServerError, free_port
from tests.servers.supervisor import Supervisor
from tests.support import scripted_engine
from tests.support.live import (
    ADMIN_PASSWORD,
    FINISHED,
    START_TIMEOUT_S,
    Api,
    answers,
    clean_environment,
    manage,
)
from tests.support.media import image_bytes, wav_bytes

LEASE_S = 2.0
SOON_S = 4.0
"""Enough for whatever does not depend on what is broken; whoever waits for a broker takes 5 s."""
TIMEOUT_S = 60.0
"""Without anything that changes."""
LONGEST_S = 600.0
"""Whatever changes."""
CREDITS = 1000

SETTINGS = {
    "PRODUCTION": "true",
    "GENERATION_ENGINE": scripted_engine.NAME,
    "EXTRA_ENGINES": scripted_engine.VARIABLE,
    "PYTHONPATH": str(ROOT),  # Dramatiq and gunicorn import from where they are started
    "ADMIN_PASSWORD": ADMIN_PASSWORD,
    "WORKER_THREADS": "1",
    "LEASE_S": str(LEASE_S),
    "HEARTBEAT_S": "0.2",
    "SWEEP_INTERVAL_S": "0.5",
    "IDLE_LOOK_S": "0.3",
    "RENDER_RETRY_DELAY_S": "0.1",
    "DATABASE_IDLE_TRANSACTION_TIMEOUT_S": str(int(SOON_S) + 3),  # whoever waits for it is not soon
    "DATABASE_CONNECT_TIMEOUT_S": "2",
}

T = TypeVar("T")


@dataclass
class Site:
    """One installation: its database, its folder, and what all its processes are told."""

    folder: Path
    database_url: str
    environment: Mapping[str, str]
    origin: str
    supervisor: Supervisor

    # --- Processes ----------------------------------------------------------------------------------

    def manage(self, *words: str) -> str:
        result = subprocess.run(
            manage(*words), env=self.environment, capture_output=True, text=True, check=False, timeout=300
        )
        if result.returncode:
            raise ServerError(f"{words} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        return result.stdout

    @contextlib.contextmanager
    def web(self, name: str = "web", **variables: str) -> Iterator[str]:
        """A web process; gives its origin, which is the site's for the first."""
        origin = self.origin if name == "web" else f"http://{LOOPBACK}:{free_port()}"
        words = ["-m", "gunicorn", "zhiying.wsgi", "--bind", origin.removeprefix("http://"), "--chdir", ROOT]
        words += ["--worker-class", "gthread", "--threads", "16"]
        with self.supervisor.run(
            self._command([sys.executable, *words], name, variables),
            ready=lambda: answers(origin),
            timeout_s=START_TIMEOUT_S,
            stop_signal=signal.SIGKILL,
        ):
            yield origin

    @contextlib.contextmanager
    def worker(self, name: str, **variables: str) -> Iterator[str]:
        """A master with one worker process, from the moment that it is on the list of workers."""
        pid_file = self.folder / f"{name}.pid"
        with self.supervisor.run(
            self._command(manage("work", "--pid-file", str(pid_file)), name, variables),
            ready=lambda: pid_file.exists() and self._has_a_worker(int(pid_file.read_text() or 0)),
            timeout_s=START_TIMEOUT_S,
            stop_signal=signal.SIGKILL,  # nothing is left to do; tests/system has workers that stop in peace
        ):
            yield name

    def started(
        self, stack: contextlib.ExitStack, *parts: contextlib.AbstractContextManager[str]
    ) -> list[str]:
        """Start web processes and workers at once, for as long as the stack lives; gives what each gives."""
        with ThreadPoolExecutor(len(parts)) as pool:
            entering = [pool.submit(part.__enter__) for part in parts]
            for part, entered in zip(parts, entering, strict=True):
                if entered.exception() is None:
                    stack.push(part.__exit__)
        return [entered.result() for entered in entering]

    def _has_a_worker(self, master: int) -> bool:
        """Whether a worker process of this master is on the list."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return any(child.pid in self.workers() for child in psutil.Process(master).children())
        return False

    def _command(self, words: list[Any], name: str, variables: Mapping[str, str]) -> Command:
        return Command(words, self.folder / f"{name}.log", {**self.environment, **variables})

    def workers(self) -> set[int]:
        """The process ids of the living workers, as they registered themselves."""
        rows = self.rows("SELECT name FROM workers WHERE seen_at > now() - interval '20 s'")
        pids = {int(row["name"].rpartition(":")[2]) for row in rows}
        return {pid for pid in pids if psutil.pid_exists(pid)}

    def is_up(self) -> bool:
        return answers(self.origin)

    def kill_web(self) -> None:
        """SIGKILL for whatever listens at the site's port, all at once."""
        port = int(self.origin.rpartition(":")[2])
        listening = {
            connection.pid
            for connection in psutil.net_connections("tcp4")
            if connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:] == (port,)
        }
        for pid in filter(None, listening):
            os.kill(pid, signal.SIGKILL)

    # --- Rows ---------------------------------------------------------------------------------------

    def connect(self) -> "psycopg.Connection[dict[str, Any]]":
        return psycopg.connect(self.database_url, row_factory=dict_row)

    def rows(self, query: LiteralString, *values: Any) -> list[dict[str, Any]]:
        with self.connect() as connection:
            return connection.execute(query, values).fetchall()

    def write(self, statement: LiteralString, *values: Any) -> None:
        with self.connect() as connection:
            connection.execute(statement, values)

    def items(self, batch_id: str) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM video_items WHERE batch_id = %s ORDER BY position", batch_id)

    def item(self, batch_id: str) -> dict[str, Any]:
        [item] = self.items(batch_id)
        return item

    def until_item(self, batch_id: str, status: str, *, attempt: int = 0) -> dict[str, Any]:
        """The only item of a batch, once it has this status in this attempt or a later one."""
        return until(
            lambda: self.item(batch_id),
            lambda item: item["status"] == status and item["attempt"] >= attempt,
        )

    def until_rendered(self, batch_id: str, folder: Path) -> dict[str, Any]:
        """The only item of a batch, once its engine is at work on it and has counted that in the folder."""
        until(lambda: (folder / str(self.item(batch_id)["id"])).exists(), bool)
        return self.item(batch_id)

    def until_ended(self, *batch_ids: str) -> set[str]:
        """The statuses of batches once nothing of them is left to do."""
        statuses = "SELECT status, version FROM batches WHERE id = ANY(%s::uuid[])"
        ended = until(
            lambda: self.rows(statuses, list(batch_ids)),
            lambda rows: {row["status"] for row in rows} <= FINISHED,
        )
        assert len(ended) == len(batch_ids)
        return {row["status"] for row in ended}

    def until_all_work(self, count: int) -> set[int]:
        """The workers, once as many are there as were started."""
        return until(self.workers, lambda pids: len(pids) == count)

    def end_everything(self) -> None:
        """Whatever waits or runs is cancelled, and put down by the workers."""
        admin = Api(self.origin)
        login(admin, "admin")
        for row in self.rows("SELECT id FROM batches WHERE pending_count + processing_count > 0"):
            answer = admin.call("POST", f"/api/video/batches/{row['id']}/cancel")
            assert answer.status_code == 200, answer.text
        until(lambda: self.rows("SELECT 1 FROM workers WHERE rendering <> '[]'"), lambda rows: not rows)

    def entries(self, user: "Person") -> dict[str, int]:
        """Entries of the user's ledger, by kind."""
        rows = self.rows(
            "SELECT kind, count(*) AS entries FROM credit_entries WHERE user_id = %s GROUP BY kind", user.id
        )
        return {row["kind"]: row["entries"] for row in rows if row["kind"] != "grant"}

    @contextlib.contextmanager
    def batch_locked(self, batch_id: str) -> Iterator[None]:
        """Nobody can finish an item of the batch meanwhile; work goes on up to that moment."""
        with self.connect() as connection:
            connection.execute("SET idle_in_transaction_session_timeout = 0")
            connection.execute("SELECT 1 FROM batches WHERE id = %s FOR NO KEY UPDATE", [batch_id])
            yield
            with contextlib.suppress(psycopg.OperationalError):  # a server that was ended holds nothing
                connection.rollback()

    def waits_for_a_lock(self) -> bool:
        found = self.rows(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(found)

    # --- Files --------------------------------------------------------------------------------------

    @property
    def data(self) -> Path:
        return Path(self.environment["DATA_DIR"])

    def results(self, batch_id: str) -> set[str]:
        """Keys of what is stored as results of a batch."""
        folder = self.data / "media"
        found = (folder / "batches" / batch_id / "result").glob("*")
        return {path.relative_to(folder).as_posix() for path in found}

    def scratch_of(self, pid: int) -> list[Path]:
        """Folders of the renders that a process has begun and not put away."""
        return list((self.data / "work").glob(f"process-{pid}-*/render-*"))

    # --- People -------------------------------------------------------------------------------------

    def person(self, *, is_admin: bool = False) -> "Person":
        """A new user, logged in."""
        admin = Api(self.origin)
        login(admin, "admin")
        told: dict[str, Any] = {
            "username": f"user-{uuid4().hex[:12]}",
            "password": ADMIN_PASSWORD,
            "credits": CREDITS,
            "is_admin": is_admin,
        }
        made = admin.call("POST", "/api/admin/users", json=told)
        assert made.status_code == 201, made.text
        person = Person(self, made.json()["user"]["id"], told["username"])
        login(person, person.name)
        return person


class Person(Api):
    """A user with an HTTP client."""

    def __init__(self, site: Site, user_id: str, name: str) -> None:
        super().__init__(site.origin)
        self.site, self.id, self.name = site, user_id, name

    def batch_of(self, *acts: str, folder: Path | None = None, images: int = 1) -> str:
        """Submit images whose renders act so, one after the other; gives the batch's id."""
        pictures = {f"{number}.jpg": image_bytes() for number in range(images)}
        return self.submit(pictures, wav_bytes(), prompt=scripted_engine.prompt(*acts, folder=folder))

    def shows_a_video(self) -> None:
        """A new item is taken at once and rendered, whatever happens to those of others."""
        batch_id = self.batch_of("succeed")
        self.site.until_ended(batch_id)
        row = self.site.item(batch_id)
        assert (row["started_at"] - row["queued_at"]).total_seconds() < SOON_S

    @property
    def credits(self) -> int:
        return int(self.get("/api/user/profile")["credits"])


def login(api: Api, name: str) -> None:
    answer = api.call("POST", "/api/auth/login", json={"username": name, "password": ADMIN_PASSWORD})
    assert answer.status_code == 200, answer.text
    api.session.headers["Authorization"] = f"Bearer {answer.json()['token']}"


def until(look: Callable[[], T], fine: Callable[[T], bool], *, timeout_s: float = TIMEOUT_S) -> T:
    """What `look` gives once it is fine.

    The time for it begins anew with whatever changes: a busy machine is slow; only what stands still fails.
    """
    began = changed = time.monotonic()
    seen = look()
    while not fine(seen):
        now = time.monotonic()
        assert now - changed < timeout_s, f"nothing has changed for {timeout_s:.0f} s: {seen}"
        assert now - began < LONGEST_S, f"still changing, and not fine: {seen}"
        time.sleep(POLL_INTERVAL_S)
        latest = look()
        if latest != seen:
            seen, changed = latest, time.monotonic()
    return seen


def keys_of(item: Mapping[str, Any]) -> set[str]:
    """Keys of the files that an item shows."""
    return {item["video_url"], item["poster"]} - {""}


def open_the_way(folder: Path) -> None:
    """Let renders that climb (tests/support/scripted_engine.py) go to their end."""
    for percent in scripted_engine.STEPS:
        (folder / str(percent)).touch()


def worker_of(item: Mapping[str, Any]) -> int:
    """The process that has claimed an item."""
    return int(item["worker"].split(":")[1])


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The process is stopped, with all its threads; its children and connections stay as they are."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def new_site(folder: Path, server_url: str, broker_url: str, **variables: str) -> Iterator[Site]:
    """An installation with a database of its own on this server, and no process yet."""
    database_url = _new_database(server_url)
    origin = f"http://{LOOPBACK}:{free_port()}"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    environment = clean_environment(
        **{
            **SETTINGS,
            "SECRET_KEY": secrets.token_urlsafe(64),
            "ALLOWED_HOSTS": LOOPBACK,
            "PUBLIC_URL": origin,
            "DATABASE_URL": database_url,
            "BROKER_URL": broker_url,
            "DATA_DIR": str(folder / "data"),
            **variables,
        }
    )
    (folder / "log").touch()
    yield Site(folder, database_url, environment, origin, Supervisor(_note(folder / "log")))


def _note(log: Path) -> Callable[[str], None]:
    """Deaths and new starts, for whoever looks into the folder."""

    def note(text: str) -> None:
        with log.open("a") as file:
            file.write(f"{text}\n")

    return note


TEMPLATE = "zhiying_migrated"


def _new_database(server_url: str) -> str:
    """Migrated and with an administrator. The first one takes some seconds, the others are copies."""
    base = server_url.rpartition("/")[0]
    with psycopg.connect(server_url, autocommit=True) as connection:
        made = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone()
        if not made:
            connection.execute(f'CREATE DATABASE "{TEMPLATE}"')
            _migrate(f"{base}/{TEMPLATE}")
        name = f"zhiying_{uuid4().hex}"
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
    return f"{base}/{name}"


def _migrate(database_url: str) -> None:
    environment = clean_environment(
        DATABASE_URL=database_url, PRODUCTION="false", ADMIN_PASSWORD=ADMIN_PASSWORD
    )
    for words in (("migrate", "--verbosity", "0"), ("create_admin", "admin")):
        subprocess.run(manage(*words), env=environment, check=True, capture_output=True, timeout=300)
