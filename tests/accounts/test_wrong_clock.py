"""A process whose clock is wrong by days decides what the others do, because the database's clock counts."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import MailAddress, User
from accounts.services import mail_tokens
from adminpanel.admin.site import site
from adminpanel.admin.workers import WorkerAdmin
from tests.support.rows import make_worker
from videos.models import Worker
from videos.services.engine_limits import EngineLimits, day_of
from zhiying.hashed_sessions import SessionStore

pytestmark = [pytest.mark.django_db, pytest.mark.row_locks]  # and a clock of its own

WRONG = [pytest.param(timedelta(days=sign * 20), id=name) for sign, name in ((1, "fast"), (-1, "slow"))]


@pytest.fixture(params=WRONG)
def wrong_clock(request: pytest.FixtureRequest) -> time_machine.travel:
    """The process's clock within the block; the database's stays as it is."""
    return time_machine.travel(timezone.now() + request.param)


def test_the_day_of_an_engine_is_the_same(wrong_clock: time_machine.travel) -> None:
    limits = EngineLimits(max_per_day=1)
    before = day_of(limits)
    with wrong_clock:
        within = day_of(limits)
    assert within in (before, day_of(limits)), "midnight may pass"


def test_a_link_in_a_letter_is_good_for_a_day(user: User, wrong_clock: time_machine.travel) -> None:
    address = MailAddress.objects.create(user=user, address="a@example.com", asked_at=timezone.now())
    with wrong_clock:
        theirs = mail_tokens.token_for(address)
        assert mail_tokens.address_in(theirs, user.pk) == address.address
    assert mail_tokens.address_in(theirs, user.pk) == address.address


def test_sessions_of_the_admin_site_last_as_long(wrong_clock: time_machine.travel) -> None:
    ours, theirs = SessionStore(), SessionStore()
    ours.create()
    with wrong_clock:
        theirs.create()
        SessionStore.clear_expired()
        assert ours.exists(str(ours.session_key))
        assert SessionStore(ours.session_key).load() == {}
    assert SessionStore(theirs.session_key)._get_session_from_db() is not None
    ends = Session.objects.order_by("expire_date").values_list("expire_date", flat=True)
    assert ends[1] - ends[0] < timedelta(minutes=10)


def test_administrators_see_who_is_alive(wrong_clock: time_machine.travel) -> None:
    make_worker()
    shown = WorkerAdmin(Worker, site)
    with wrong_clock:
        worker = shown.get_queryset(RequestFactory().get("/")).get()
    assert shown.alive(worker)
