"""Somebody's long queue does not make the next person wait."""

import pytest

from tests.faults.site import Site

pytestmark = [pytest.mark.faults]

BATCHES, IMAGES = 10, 50
WORKERS = 2
FEW = 3 * WORKERS
"""Those being rendered when the other comes, those whose turn it is then, and some for a moment's luck."""


def test_one_item_of_another_starts_before_five_hundred(site: Site) -> None:
    user, other = site.person(), site.person()
    for _ in range(BATCHES):
        user.batch_of("succeed", images=IMAGES)
    waiting = site.rows("SELECT waiting FROM queue_lanes WHERE user_id = %s", user.id)
    assert waiting[0]["waiting"] > BATCHES * IMAGES / 2, "the queue is not long any more"
    single = other.batch_of("succeed")
    queued_at = site.item(single)["queued_at"]
    site.until_ended(single)
    finished_at = site.item(single)["finished_at"]
    before = site.rows(
        "SELECT count(*) AS items FROM video_items i JOIN batches b ON b.id = i.batch_id "
        "WHERE b.user_id = %s AND i.finished_at BETWEEN %s AND %s",
        user.id,
        queued_at,
        finished_at,
    )
    assert before[0]["items"] <= FEW
