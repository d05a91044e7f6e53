"""A process that is stopped while it holds a lock stops nobody else, and holds its rows not for long."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from engines.base import Capabilities
from engines.portrait.engine import PortraitEngine
from tests.support.books import assert_all_is_settled
from tests.support.parallel import all_at_once
from tests.support.rows import claim, make_batch, make_user
from videos.models import QueueLane, VideoItem
from videos.scheduling.claims import claim_next
from videos.services import attempts, heartbeats, runs
from videos.services.attempts import StoredResult

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.row_locks]

RESULT = StoredResult(video="batches/x/result/y-1.mp4", poster="", duration_s=0.6)
SILENT_S = 3
"""After which the server ends the transaction of the stopped process, here."""
HOLD = """
import sys, psycopg
connection = psycopg.connect(sys.argv[1])
connection.execute(sys.argv[2])
print("holds", flush=True)
sys.stdin.read()
"""
ENOUGH_S = 2.0


@contextmanager
def stopped_while_holding(table: str, key: object, column: str = "id") -> Iterator[None]:
    """A process with the lock of a row, stopped by SIGSTOP."""
    facts = {name: value for name, value in connection.get_connection_params().items() if name != "options"}
    facts = {name: value for name, value in facts.items() if isinstance(value, str | int)}
    facts["options"] = f"-c idle_in_transaction_session_timeout={SILENT_S}s"
    words = " ".join(f"{name}='{value}'" for name, value in facts.items())
    lock = f"SELECT 1 FROM {table} WHERE {column} = '{key}' FOR UPDATE"  # noqa: S608  (names of this test)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, words, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == b"holds\n"
        os.kill(process.pid, signal.SIGSTOP)
        yield
    finally:
        process.kill()
        process.communicate()


class Stopwatch:
    """How long a block took (s)."""

    def __enter__(self) -> "Stopwatch":
        self._began = time.monotonic()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds = time.monotonic() - self._began


@pytest.mark.parametrize("held", ["lane", "batch", "item", "user"])
def test_claims_go_on(held: str) -> None:
    stuck, other = make_user(), make_user()
    batch = make_batch(stuck, 2)
    make_batch(other, 2)
    rows: dict[str, tuple[str, Any]] = {
        "lane": ("queue_lanes", QueueLane.objects.get(user=stuck).pk),
        "batch": ("batches", batch.pk),
        "item": ("video_items", batch.items.order_by("position").values_list("pk", flat=True)[0]),
        "user": ("users", stuck.pk),
    }
    with stopped_while_holding(*rows[held]), Stopwatch() as took:
        claims = [claim_next("w") for _ in range(4)]
    assert took.seconds < ENOUGH_S
    served = Counter(claimed.user_id for claimed in claims if claimed)
    assert served[other.pk] == 2
    assert served[stuck.pk] == {"lane": 0, "batch": 0, "item": 1, "user": 2}[held]


@pytest.mark.parametrize("held", ["batches", "video_items"])
def test_leases_of_others_are_renewed_and_their_progress_is_shown(held: str) -> None:
    claims = [claim() for _ in (make_batch(make_user()), make_batch(make_user()))]
    VideoItem.objects.update(lease_until=timezone.now() + timedelta(seconds=1))
    key = claims[0].batch_id if held == "batches" else claims[0].item_id
    with stopped_while_holding(held, key), Stopwatch() as took:
        heartbeats.renew(claims)
        for held_claim in claims:
            heartbeats.show_progress(held_claim, 40)
    assert took.seconds < ENOUGH_S
    free = VideoItem.objects.get(pk=claims[1].item_id)
    assert free.progress == 40
    assert free.lease_until
    assert free.lease_until > timezone.now() + timedelta(seconds=5)


def test_items_of_dead_workers_are_taken_back() -> None:
    batches = [make_batch(make_user(), 2) for _ in range(2)]
    claims = [claim() for _ in range(4)]
    VideoItem.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    with stopped_while_holding("batches", batches[0].pk), Stopwatch() as took:
        assert attempts.expire_leases() == 2
    assert took.seconds < ENOUGH_S
    waiting = VideoItem.objects.filter(status="pending").values_list("batch", flat=True)
    assert set(waiting) == {batches[1].pk}
    assert attempts.expire_leases() == len(claims) - 2


def test_the_rows_of_the_stopped_process_are_free_again_soon() -> None:
    user = make_user()
    batch = make_batch(user)
    with stopped_while_holding("batches", batch.pk), Stopwatch() as took:
        assert runs.cancel_items(batch_id=batch.pk, user_id=user.pk) == 1
    assert took.seconds < SILENT_S + ENOUGH_S
    assert_all_is_settled()


def test_what_we_ask_of_a_connection_has_bounds() -> None:
    """As shipped, without a setting: nobody waits for ever for a lock or for a client that went silent."""
    with connection.cursor() as cursor:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute("SELECT current_setting(%s)", [name])
            assert cursor.fetchone() not in [("0",), None], name


def test_a_limit_holds_however_many_claim_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = Capabilities(**{**vars(PortraitEngine().capabilities()), "max_concurrent": 3})
    monkeypatch.setattr(PortraitEngine, "capabilities", lambda self: limited)
    for _ in range(4):
        make_batch(make_user(), 10)
    most, guard = [0], threading.Lock()

    def work() -> int:
        done = 0
        while claimed := claim_next("w"):
            running = VideoItem.objects.filter(status="processing").count()
            with guard:
                most[0] = max(most[0], running)
            attempts.complete(claimed, RESULT)
            done += 1
        return done

    outcomes = all_at_once([work] * 8)
    assert most[0] <= 3
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    # Whoever found no room went home; what is left is done by whoever comes next.
    work()
    assert VideoItem.objects.filter(status="completed").count() == 40
    assert_all_is_settled()
