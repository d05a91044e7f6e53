"""One process of `bench.queue_claims`: prints the milliseconds that each of its items took."""

import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhiying.settings")

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from bench.queue_claims import COPIED_ITEMS, READY  # noqa: E402
from tests.support.rows import make_batch, make_user  # noqa: E402
from videos.scheduling.claims import claim_next  # noqa: E402
from videos.services import attempts, heartbeats, taking_postgresql  # noqa: E402
from videos.services.attempts import StoredResult  # noqa: E402
from videos.worker.runner import work_once  # noqa: E402
from videos.worker.slots import slots  # noqa: E402

RESULT = StoredResult(video="batches/x/result/y-1.mp4", poster="", duration_s=0.6)


def claims(seconds: float) -> None:
    repeat(lambda: claim_next("bench"), seconds)


def through_the_queue(seconds: float) -> None:
    repeat(_pass_through, seconds)


def _pass_through() -> None:
    claim = claim_next("bench")
    assert claim
    assert attempts.sources_of(claim)
    heartbeats.still_held([claim])
    heartbeats.renew([claim])
    heartbeats.show_progress(claim, 50)
    assert attempts.complete(claim, RESULT)


def through_a_worker(seconds: float) -> None:
    slots.start()
    work_once()  # the child process has started
    for _ in range(COPIED_ITEMS):
        began = time.perf_counter()
        assert work_once()
        print((time.perf_counter() - began) * 1000)
    slots.close()


def repeat(act, seconds: float) -> None:  # type: ignore[no-untyped-def]
    act()  # connects and compiles
    ends_at = time.perf_counter() + seconds
    while (began := time.perf_counter()) < ends_at:
        act()
        print((time.perf_counter() - began) * 1000)


def explain(seconds: float) -> None:
    """The plan of a claim and of the look before it."""
    facts = {"worker": "bench", "engines": [""], "passed": [], "lease_s": 20, "limited": "", "limit": None}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {taking_postgresql.TAKE_ANY}", facts)
        print("\n".join(line for (line,) in cursor.fetchall()))
        transaction.set_rollback(True)


ACTS = {
    "claims": claims,
    "items through the queue": through_the_queue,
    "items through a worker": through_a_worker,
    "explain": explain,
}

if __name__ == "__main__":
    name, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    if name == "items through a worker":
        person = make_user("copier", credits=COPIED_ITEMS + 1)
        make_batch(person, 1)
        for _ in range(COPIED_ITEMS // 50):
            make_batch(person, 50)
    print(READY, flush=True)
    sys.stdin.readline()
    ACTS[name](seconds)
