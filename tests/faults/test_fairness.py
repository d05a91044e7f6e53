"""Somebody's long queue does not make the next person wait."""

import pytest

from tests.faults.site import Person, Site, until

pytestmark = [pytest.mark.faults]

BATCHES, IMAGES = 10, 50
WORKERS = 2
FEW = 3 * WORKERS
"""Those being rendered when the other comes, those whose turn it is then, and some for a moment's luck."""


def test_one_item_of_another_starts_before_five_hundred(site: Site) -> None:
    user, other = site.person(), site.person()
    hoard = [user.batch_of("succeed", images=IMAGES) for _ in range(BATCHES)]
    waiting = site.rows("SELECT waiting FROM queue_lanes WHERE user_id = %s", user.id)
    assert waiting[0]["waiting"] > BATCHES * IMAGES / 2, "the queue is not long any more"
    single = other.batch_of("succeed")
    queued_at = site.item(single)["queued_at"]
    other.wait(single)
    finished_at = site.item(single)["finished_at"]
    before = site.rows(
        "SELECT count(*) AS items FROM video_items i JOIN batches b ON b.id = i.batch_id "
        "WHERE b.user_id = %s AND i.finished_at BETWEEN %s AND %s",
        user.id,
        queued_at,
        finished_at,
    )
    assert before[0]["items"] <= FEW
    end(user, hoard, site)


def end(user: Person, batches: list[str], site: Site) -> None:
    """Nothing is left for the next test to wait for."""
    for batch_id in batches:
        user.call("POST", f"/api/video/batches/{batch_id}/cancel")
    left = "SELECT 1 FROM queue_lanes WHERE user_id = %s AND waiting + running > 0"
    until(lambda: site.rows(left, user.id), lambda rows: not rows)
