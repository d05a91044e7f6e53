"""Claims: each item once, users in turn, engines within their limit."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from engines.base import Capabilities
from engines.portrait.engine import PortraitEngine
from tests.support.parallel import all_at_once, times
from tests.support.rows import claim, make_batch, make_item, make_user
from videos.models import VideoItem
from videos.scheduling.claims import claim_next
from videos.services import attempts
from videos.services.attempts import StoredResult
from videos.services.taking import work_waits

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

RESULT = StoredResult(video="batches/x/result/y-1.mp4", poster="", duration_s=0.6)


def owner(claimed: attempts.Claim) -> str:
    return User.objects.get(pk=claimed.user_id).username


def test_nothing_waits_and_nothing_is_claimed(db: None) -> None:
    assert claim_next("w") is None
    assert not work_waits()


def test_a_users_items_are_taken_in_the_order_of_submission(user: User) -> None:
    first, second = make_batch(user, 2), make_batch(user, 1)
    taken = [claim().item_id for _ in range(3)]
    expected = [*first.items.order_by("position"), *second.items.all()]
    assert taken == [item.pk for item in expected]


def test_one_image_does_not_wait_for_anothers_batch() -> None:
    busy, modest = make_user("busy"), make_user("modest")
    make_batch(busy, 10)
    make_item(modest)
    # Neither was ever served, so either may be first.
    *first, third = (owner(claim()) for _ in range(3))
    assert (set(first), third) == ({"busy", "modest"}, "busy")


def test_users_take_turns_however_many_items_they_have() -> None:
    for name, images in (("a", 6), ("b", 3), ("c", 1)):
        make_batch(make_user(name), images)
    served = []
    for _ in range(10):  # one worker: each item is finished before the next is claimed
        claimed = claim()
        served.append(owner(claimed))
        attempts.complete(claimed, RESULT)
    assert Counter(served[:3]) == {"a": 1, "b": 1, "c": 1}
    assert Counter(served[3:7]) == {"a": 2, "b": 2}
    assert served[7:] == ["a", "a", "a"]


def test_whoever_has_fewest_items_running_comes_first() -> None:
    first, second = make_user("first"), make_user("second")
    make_batch(first, 4)
    claim(), claim()
    make_batch(second, 4)
    assert [owner(claim()), owner(claim())] == ["second", "second"]


def test_a_retry_waits_for_its_time(user: User) -> None:
    item = make_item(user)
    VideoItem.objects.update(not_before=timezone.now() + timedelta(seconds=60))
    assert claim_next("w") is None
    VideoItem.objects.update(not_before=timezone.now())
    assert claim().item_id == item.pk


def test_an_engine_with_a_limit_gets_no_more_than_it_takes(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    capabilities = PortraitEngine().capabilities()
    limited = Capabilities(**{**vars(capabilities), "max_concurrent": 2})
    monkeypatch.setattr(PortraitEngine, "capabilities", lambda self: limited)
    make_batch(user, 4)
    first = claim()
    claim()
    assert claim_next("w") is None
    attempts.complete(first, RESULT)
    assert claim_next("w") is not None


@pytest.mark.django_db(transaction=True)
def test_eight_workers_claim_each_item_once_and_what_they_favoured_is_made_up_for() -> None:
    """Claims of one moment choose by what each saw when it began; the next ones see what they did."""
    users = [make_user(), make_user()]
    for user in users:
        make_batch(user, 8)
    outcomes = all_at_once(times(8, lambda: claim_next("w")))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    claims: list[Any] = [outcome for outcome in outcomes if outcome]
    while len(claims) < 16:
        running = Counter({user.pk: 0 for user in users})
        running.update(claimed.user_id for claimed in claims)
        claims.append(claim())
        assert running[claims[-1].user_id] == min(running.values())
    assert len({claimed.item_id for claimed in claims}) == 16
    assert claim_next("w") is None
    assert set(VideoItem.objects.values_list("attempt", flat=True)) == {1}
