"""Usage by day: the kept sums are right whatever happens, merged or not, and can be computed again."""

from collections import Counter
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import UsageDay, User
from accounts.services import usage
from tests.support.rows import claim, make_batch, make_user
from videos.services import attempts, batches
from videos.services.attempts import StoredResult, Verdict

pytestmark = pytest.mark.django_db

FAILURE = Verdict("no_face", "No face was found.")


def sums() -> Counter[tuple[Any, ...]]:
    """All figures by day, user, code and name; those of all users together have to agree with them."""
    total: Counter[tuple[Any, ...]] = Counter()
    first = timezone.localdate()
    figures = usage.by_day(first).get(first, {})
    for name in usage.FIGURES:
        assert figures.get(name, 0) == sum(getattr(row, name) for row in usage.of_users(first)), name
    for row in UsageDay.objects.exclude(user=None):
        for name in usage.FIGURES:
            total[row.day, row.user_id, row.code if name == "failed" else "", name] += getattr(row, name)
    return +total


def busy_day(user: User) -> None:
    """Every kind of event: made, failed, cancelled, tried again, deleted."""
    first, second = make_batch(user, 4), make_batch(user, 2)
    attempts.complete(claim(), StoredResult(video="a.mp4", poster="", duration_s=1))
    attempts.fail(claim(), FAILURE)
    attempts.fail(claim(), Verdict("render_timeout", "It took too long."))
    batches.batch_cancel(batch=first, acting_user=user)
    batches.batch_retry_failed(batch=first, acting_user=user)
    attempts.fail(claim(), FAILURE)
    attempts.complete(claim(), StoredResult(video="b.mp4", poster="", duration_s=1))
    batches.batch_delete(batch=second, acting_user=user)


def test_the_sums_are_those_of_the_ledger_and_the_items_and_stay_so_when_merged() -> None:
    users = [make_user(), make_user()]
    for user in users:
        busy_day(user)
    kept = sums()
    assert {name for *_, name in kept} == set(usage.FIGURES)
    assert usage.merge() > len(users)
    busy_day(users[0])
    grown = sums()
    assert usage.merge() > 0
    assert usage.merge() == 0
    assert sums() == grown
    assert UsageDay.objects.exclude(user=None).count() == len({key[:3] for key in grown})
    assert usage.of_all(timezone.localdate()).count() == len({key[2] for key in grown})
    call_command("rebuild_usage")
    assert sums() == grown


def test_what_is_rolled_back_is_not_counted(user: User) -> None:
    with transaction.atomic():
        make_batch(user)
        transaction.set_rollback(True)
    assert sums() == Counter()


def test_a_late_worker_is_not_counted(user: User) -> None:
    make_batch(user)
    late = claim()
    attempts.release(late)
    assert attempts.complete(claim(), StoredResult(video="a.mp4", poster="", duration_s=1))
    assert not attempts.complete(late, StoredResult(video="b.mp4", poster="", duration_s=1))
    assert not attempts.fail(late, FAILURE)
    assert [row.videos for row in UsageDay.objects.filter(videos__gt=0)] == [1]


def test_figures_do_not_look_at_what_was_made(client_of_admin: APIClient, user: User) -> None:
    make_batch(user)
    with CaptureQueriesContext(connection) as captured:
        assert client_of_admin.get("/api/admin/usage?days=366").status_code == 200
    read = " ".join(query["sql"] for query in captured)
    assert "usage_days" in read
    assert not [table for table in ("video_items", "credit_entries", "batches") if f'"{table}"."id"' in read]
    assert not [table for table in ("video_items", "credit_entries", "batches") if f'FROM "{table}"' in read]
