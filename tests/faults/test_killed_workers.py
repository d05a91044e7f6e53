"""Worker processes that are killed at the worst moments, and an item that is the death of each it gets."""

import os
import signal
from pathlib import Path

import pytest

from tests.faults.site import Site, keys_of, open_the_way, until, worker_of

pytestmark = [pytest.mark.faults]

TRIES = 3
"""RENDER_MAX_TRIES as it is by default."""


def test_a_worker_killed_between_storing_and_finishing_leaves_one_result(site: Site, tmp_path: Path) -> None:
    user = site.person()
    batch_id = user.batch_of("climb", "succeed", folder=tmp_path)
    pid = worker_of(site.until_rendered(batch_id, tmp_path))
    with site.batch_locked(batch_id):
        open_the_way(tmp_path)
        stored = until(lambda: site.results(batch_id), bool)
        until(site.waits_for_a_lock, bool)
        os.kill(pid, signal.SIGKILL)
    done = site.until_item(batch_id, "completed", attempt=2)
    assert site.entries(user) == {"charge": 1}
    assert stored < site.results(batch_id), "what the first stored is there"
    # Its entry is due in some hours.
    site.write("UPDATE file_deletions SET due_at = now() WHERE path LIKE %s", f"batches/{batch_id}/%")
    until(lambda: site.results(batch_id), lambda found: found == keys_of(done))
    assert not site.rows("SELECT 1 FROM file_deletions WHERE path LIKE %s", f"batches/{batch_id}/%")
    until(lambda: site.scratch_of(pid), lambda folders: not folders)


def test_an_item_that_kills_every_worker_it_gets_fails_beside_those_of_others(
    site: Site, tmp_path: Path
) -> None:
    user, other = site.person(), site.person()
    deadly = user.batch_of("hang", folder=tmp_path)
    killed: list[int] = []

    def kill_whoever_has_it() -> bool:
        item = site.item(deadly)
        if item["status"] == "processing" and item["attempt"] > len(killed):
            killed.append(worker_of(item))
            os.kill(killed[-1], signal.SIGKILL)
        return bool(item["status"] == "failed")

    batches = [other.batch_of("succeed", images=2) for _ in range(3)]
    until(kill_whoever_has_it, bool)
    assert len(set(killed)) == TRIES, "each time another process"
    failed = site.item(deadly)
    assert (failed["error_code"], failed["attempt"]) == ("worker_lost", TRIES)
    assert site.entries(user) == {"charge": 1, "refund": 1}
    for batch_id in batches:
        assert other.wait(batch_id)["status"] == "completed"
    assert site.entries(other) == {"charge": 6}
