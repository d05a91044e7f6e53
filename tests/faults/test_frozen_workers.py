"""Workers, and their sessions of the database, that stand still with all they hold and go on much later."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.site import LEASE_S, Site, frozen, keys_of, open_the_way, until, worker_of
from videos.services.taking_postgresql import TAKE_ANY

pytestmark = [pytest.mark.faults]


def assert_nothing_is_left(site: Site, batch_id: str, pid: int) -> None:
    """What a late worker has stored is refused and removed, and its scratch files are put away."""
    until(lambda: site.scratch_of(pid), lambda folders: not folders)
    item = site.item(batch_id)
    until(lambda: site.results(batch_id), lambda found: found == keys_of(item))
    intended = "SELECT 1 FROM file_deletions WHERE path LIKE %s"
    until(lambda: site.rows(intended, f"batches/{batch_id}/%"), lambda rows: not rows)


@pytest.mark.parametrize(
    ("other", "status", "ledger"),
    [("succeed", "completed", {"charge": 1}), ("refuse", "failed", {"charge": 1, "refund": 1})],
)
def test_a_worker_that_wakes_after_its_lease_changes_nothing(
    other: str, status: str, ledger: dict[str, int], site: Site, tmp_path: Path
) -> None:
    user = site.person()
    batch_id = user.batch_of("climb", other, folder=tmp_path)
    pid = worker_of(site.until_rendered(batch_id, tmp_path))
    with frozen(pid):
        open_the_way(tmp_path)  # its render process comes to its end meanwhile
        done = site.until_item(batch_id, status, attempt=2)
    assert_nothing_is_left(site, batch_id, pid)
    assert site.item(batch_id) == done
    assert site.entries(user) == ledger


def test_a_result_that_was_stored_by_a_worker_that_then_froze_is_refused(site: Site, tmp_path: Path) -> None:
    """It freezes with the lock of its batch: the database ends that, and others go on at once."""
    user, other = site.person(), site.person()
    batch_id = user.batch_of("climb", "succeed", folder=tmp_path)
    pid = worker_of(site.until_rendered(batch_id, tmp_path))
    with ExitStack() as freezing:
        with site.batch_locked(batch_id):
            open_the_way(tmp_path)
            until(lambda: site.results(batch_id), bool)
            until(site.waits_for_a_lock, bool)
            freezing.enter_context(frozen(pid))
        other.shows_a_video()
        done = site.until_item(batch_id, "completed", attempt=2)
    assert_nothing_is_left(site, batch_id, pid)
    assert site.item(batch_id) == done
    assert site.entries(user) == {"charge": 1}


def test_a_claim_that_stands_still_in_the_database_holds_up_nobody_else(site: Site, tmp_path: Path) -> None:
    busy, user, other = site.person(), site.person(), site.person()
    for _ in range(2):
        site.until_item(busy.batch_of("climb", folder=tmp_path), "processing")
    batch_id = user.batch_of("succeed")
    with site.connect() as session:
        values = {"worker": "host:0", "engines": [""], "passed": [], "lease_s": LEASE_S}
        taken = session.execute(TAKE_ANY, values).fetchone()
        assert taken
        assert str(taken["batch_id"]) == batch_id
        with frozen(session.info.backend_pid):
            open_the_way(tmp_path)
            other.shows_a_video()
            assert site.item(batch_id)["attempt"] == 0
        session.rollback()
    assert site.until_item(batch_id, "completed")["attempt"] == 1
