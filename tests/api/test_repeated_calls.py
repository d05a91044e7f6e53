"""Every call that writes, made again because its answer was lost, has one effect.

The answer to each of a call's commits is lost in turn; the client is told to come again, and does. What the
files of batches need, also when a commit is not carried out, is in tests/store/test_lost_answers.py.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connections

from tests.api.repeated import accounts, administration, batches  # noqa: F401 - they name their calls
from tests.api.repeated.calls import AWAY, CALLS, Call
from tests.api.stores import use_disk
from tests.support.books import assert_all_is_settled
from tests.support.losses import MOST_COMMITS, answer_lost
from zhiying.kernel.clock import database_now
from zhiying.kernel.models import IdempotencyRecord

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _as_installed(settings: LazySettings, tmp_path: Any) -> None:
    settings.ADMIN_TOTP = "optional"
    use_disk(settings, tmp_path)


@pytest.mark.parametrize("prepare", CALLS, ids=lambda prepare: prepare.__name__)
def test_a_call_made_again_after_its_answer_was_lost_has_one_effect(prepare: Callable[[], Call]) -> None:
    for number in range(1, MOST_COMMITS):
        ready = prepare()
        with answer_lost(number, committed=True) as loss:
            first = ready.make().status_code
        connections.close_all()
        if not loss.happened:
            assert number > 1, "a call that writes nothing"
            assert first == ready.status
            return
        # Whoever was told that the database is away comes again, once a record of the work has lapsed.
        IdempotencyRecord.objects.filter(status_code=None).update(alive_until=database_now())
        again = ready.make()
        said = (number, first, again.status_code, getattr(again, "content", b""))
        assert first in {ready.status, AWAY}, said
        assert again.status_code in {ready.status, *ready.done}, said
        ready.effect()
        assert_all_is_settled()
    raise AssertionError(f"more than {MOST_COMMITS} commits")
