"""What is true when the chaos is over and everything has had its time to settle."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.servers.process import ServerError, wait_until
from tests.servers.supervisor import Supervisor
from tests.servers.topology import Topology
from tests.soak.clients import NOT_FOUND, OK, Client, Order
from tests.soak.journal import Journal
from tests.support.films import watch

HEALTHY_WITHIN_S = 120.0
SETTLED_WITHIN_S = 120.0
"""Without anything that moves."""
LONGEST_S = 1800.0
"""Whatever moves."""
QUIET_WITHIN_S = 60.0
WATCHED = 60
"""Videos that are decoded, over all users."""
FRAMES = 15
MOST_CONNECTIONS = 130
"""Of all web processes' and workers' threads, each of which may keep one."""


class Verdict:
    """Looks at everything, and keeps what is wrong."""

    def __init__(self, topology: Topology, supervisor: Supervisor, journal: Journal) -> None:
        self._topology = topology
        self._supervisor = supervisor
        self._journal = journal
        self.states: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    def find(self, clients: Sequence[Client], seen: Iterable[psutil.Process]) -> list[str]:
        """Everything that is wrong; nothing else may happen meanwhile."""
        try:
            self._settle()
        except ServerError as error:
            return [*self._journal.faults, str(error)]
        self._count()
        return [
            *self._journal.faults,
            *self._lost(clients),
            *self._untrue(),
            *self._unplayable(clients),
            *self._leaked(seen),
            *self._connections(),
        ]

    # --- Peace --------------------------------------------------------------------------------------

    def _settle(self) -> None:
        for service in ("web", "worker"):
            for number in (1, 2):
                self._wait(
                    lambda service=service, number=number: (  # type: ignore[misc]
                        self._topology.health(service, number).returncode == 0
                    ),
                    HEALTHY_WITHIN_S,
                    f"{service} {number} to be well again",
                )
        self._until_all_are_final()
        self._wait(lambda: not self._scratch(), QUIET_WITHIN_S, "scratch files to go")

    def _until_all_are_final(self) -> None:
        """However much is left: a queue that is worked off slowly is no finding, one that stands still is."""
        progress = (
            "SELECT count(*) FILTER (WHERE status IN ('pending', 'processing')), sum(attempt) "
            "FROM video_items"
        )
        began = time.monotonic()
        ends_at, seen = began + SETTLED_WITHIN_S, self._rows(progress)
        while seen[0][0]:
            if time.monotonic() > min(ends_at, began + LONGEST_S):
                raise ServerError(f"items are not final: {self._of_interest()}")
            time.sleep(0.5)
            if (now := self._rows(progress)) != seen:
                ends_at, seen = time.monotonic() + SETTLED_WITHIN_S, now

    def _wait(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        try:
            wait_until(condition, timeout_s=seconds, what=what)
        except ServerError as error:
            raise ServerError(f"{error}: {self._of_interest()}") from None

    def _of_interest(self) -> str:
        items = self._rows(
            "SELECT status, tries, attempt, worker, lease_until - now(), not_before - now() "
            "FROM video_items WHERE status IN ('pending', 'processing') LIMIT 5"
        )
        return f"open items {items}; scratch {self._scratch()[:5]}"

    def _scratch(self) -> list[Path]:
        """Files of work that goes on, or of processes that died."""
        work = self._topology.folder / "data" / "work"
        return [
            path for path in work.glob("*/*") if path.name != "alive.lock" and path.parent.name != "cache"
        ]

    def _rows(self, query: str) -> list[Any]:
        with psycopg.connect(self._topology.database_url, connect_timeout=5) as connection:
            return connection.execute(query).fetchall()

    def _count(self) -> None:
        self.states.update(dict(self._rows("SELECT status, count(*) FROM video_items GROUP BY status")))
        self.errors.update(
            dict(
                self._rows(
                    "SELECT error_code, count(*) FROM video_items WHERE status = 'failed' GROUP BY error_code"
                )
            )
        )

    # --- Promises -----------------------------------------------------------------------------------

    def _lost(self, clients: Sequence[Client]) -> list[str]:
        """What was promised and is not so, as clients see it; and what nobody ordered."""
        found = []
        for client in clients:
            for order in client.orders:
                expected = {"": (OK,), "asked": (OK, NOT_FOUND), "done": (NOT_FOUND,)}[order.deletion]
                answer = client.call("look", "GET", f"/api/video/batches/{order.batch_id}", *expected)
                if answer is None:
                    found.append(f"{client.name}'s batch {order.batch_id} ({order.deletion or 'kept'})")
                elif answer.status_code == OK:
                    found += _not_as_ordered(order, answer.json())
        known = {order.batch_id for client in clients for order in client.orders}
        if not any(client.unresolved for client in clients):
            rows = self._rows("SELECT id FROM batches")
            found += [f"nobody was told of batch {row}" for (row,) in rows if str(row) not in known]
        return found

    def _untrue(self) -> list[str]:
        """What the installation's own programs find."""
        found = []
        for words in (["manage.py", "audit_credits"], ["-m", "tests.soak.rows"]):
            done = self._topology.run("web", sys.executable, *words)
            if done.returncode:
                found += [f"{words[-1]}: {line}" for line in done.stdout.splitlines()[:20]]
                found.append(f"{words[-1]} ended with {done.returncode}: {done.stderr[-1500:]}")
        return found

    def _unplayable(self, clients: Sequence[Client]) -> list[str]:
        found = []
        for client in clients:
            left = WATCHED // len(clients)
            for order in client.open:
                batch = client.batch(order)
                for item in batch["items"] if batch else []:
                    if item["status"] != "completed" or left <= 0:
                        continue
                    left -= 1
                    answer = client.call("play", "GET", item["videoUrl"], OK)
                    if answer is None or len(watch(answer.content).frames) != FRAMES:
                        found.append(f"the video of item {item['id']} does not play")
        return [*found, *(fault for fault in self._journal.faults if fault.startswith("play"))]

    # --- Left-overs ---------------------------------------------------------------------------------

    def _leaked(self, seen: Iterable[psutil.Process]) -> list[str]:
        """Processes that nobody looks after any more, and files of processes that are gone."""

        def strays() -> list[psutil.Process]:
            family = {process.pid for process in self._family()}
            return [process for process in seen if process.is_running() and process.pid not in family]

        with suppress(ServerError):  # those that are left are told by name
            wait_until(lambda: not strays(), timeout_s=QUIET_WITHIN_S, what="the end of all others")
        found = [f"a process is left: {process}" for process in strays()]
        living = {process.pid for process in self._family()}
        for path in (self._topology.folder / "data" / "work").glob("process-*"):
            if int(path.name.split("-")[1]) not in living:
                found.append(f"a folder of a dead process is left: {path.name}")
        return found

    def _family(self) -> list[psutil.Process]:
        masters = [psutil.Process(pid) for _, pid in self._supervisor.servers()]
        return [*masters, *(child for master in masters for child in master.children(recursive=True))]

    def _connections(self) -> list[str]:
        """Locks and transactions that nobody ends, and connections that nobody uses."""
        idle = (
            "SELECT pid, state, query FROM pg_stat_activity "
            "WHERE state LIKE 'idle in transaction%' AND xact_start < now() - interval '5 seconds'"
        )
        waiting = "SELECT pid, locktype, mode FROM pg_locks WHERE NOT granted"
        prepared = "SELECT gid FROM pg_prepared_xacts"
        advisory = "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
        named = {
            "open transactions": idle,
            "waits for a lock": waiting,
            "prepared": prepared,
            "held": advisory,
        }
        found = [f"{name}: {rows}" for name, query in named.items() if (rows := self._rows(query))]
        ((number,),) = self._rows("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return found if number <= MOST_CONNECTIONS else [*found, f"{number} connections to the database"]


def _not_as_ordered(order: Order, batch: Any) -> list[str]:
    least = order.images - order.videos_deleted
    found = []
    if not least <= batch["image_count"] <= order.images:
        found.append(f"batch {order.batch_id} has {batch['image_count']} images of {order.images}")
    errors = {item["error_code"] for item in batch["items"] if item["status"] == "failed"}
    return found + [
        f"an item whose script is {order.script} failed with {code}" for code in errors - order.may_fail_with
    ]
