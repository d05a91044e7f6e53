"""The sweep: what makes sure that nothing accepted is lost, and nothing unneeded kept."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import LazySettings
from django.db.models import F
from django.utils import timezone

from accounts.models import Session, User
from tests.support.books import assert_all_is_settled
from tests.support.parallel import all_at_once, times
from tests.support.rows import claim, client_for, make_batch, make_item
from videos.models import QueueState, VideoItem
from videos.scheduling import sweep as sweeping
from videos.scheduling.hints import QUEUE, wake_workers
from videos.scheduling.sweep import clean, sweep, sweep_if_due
from videos.services import heartbeats
from videos.store import scratch
from zhiying.kernel.models import IdempotencyRecord

pytestmark = pytest.mark.django_db

OLD_S = 25 * 3600


def hints(broker: Any) -> int:
    return int(broker.queues[QUEUE].qsize())


def test_the_item_of_a_silent_worker_is_taken_back_and_announced(user: User, broker: Any) -> None:
    item = make_item(user)
    claim()
    VideoItem.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    broker.flush_all()
    sweep()
    item.refresh_from_db()
    assert (item.status, item.tries) == ("pending", 1)
    VideoItem.objects.update(not_before=timezone.now())
    sweep()
    assert hints(broker) >= 1
    assert_all_is_settled()


def test_an_item_that_kills_its_workers_fails_in_the_end(user: User, settings: LazySettings) -> None:
    settings.RENDER_MAX_TRIES = 2
    settings.RENDER_RETRY_DELAY_S = 0
    item = make_item(user)
    for _ in range(2):
        claim()
        VideoItem.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        sweep()
    item.refresh_from_db()
    assert (item.status, item.error_code) == ("failed", "worker_lost")
    assert_all_is_settled()


def test_hints_are_sent_again_but_few_however_much_waits(user: User, broker: Any) -> None:
    make_batch(user, 30)
    broker.flush_all()
    sweep()
    assert hints(broker) == sweeping.HINTS_PER_SWEEP


def test_no_work_no_hints(db: None, broker: Any) -> None:
    sweep()
    assert hints(broker) == 0


def test_a_broker_that_is_down_does_not_break_the_caller(
    broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def unreachable(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        raise ConnectionRefusedError

    monkeypatch.setattr(broker, "enqueue", unreachable)
    wake_workers(5)
    assert calls == [1], "a broker that is down was asked again and again"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_workers_share_the_sweep(settings: LazySettings) -> None:
    settings.SWEEP_INTERVAL_S = 3600
    QueueState.objects.create(pk=1)
    assert sorted(all_at_once(times(4, sweep_if_due))) == [False, False, False, True]
    assert not sweep_if_due()
    QueueState.objects.update(swept_at=timezone.now() - timedelta(days=1))
    assert sweep_if_due()


def later(seconds: float) -> None:
    """That much time passes in what the sweep goes by."""
    passed = timedelta(seconds=seconds)
    QueueState.objects.update(swept_at=F("swept_at") - passed)
    VideoItem.objects.update(lease_until=F("lease_until") - passed)


@pytest.mark.parametrize(
    ("interval_s", "apart_s"),
    [(5, 1), (30, 1), (3600, 1), (5, 25), (5, 300)],
    ids=["quick", "longer than a lease", "an hour", "busy workers", "very busy workers"],
)
def test_a_dead_workers_item_is_taken_back_however_seldom_sweeps_come(
    user: User, settings: LazySettings, interval_s: float, apart_s: float
) -> None:
    settings.LEASE_S, settings.SWEEP_INTERVAL_S = 20, interval_s
    QueueState.objects.create(pk=1, swept_at=timezone.now())
    item = make_item(user)
    claim()
    took_s = 0.0
    while VideoItem.objects.filter(pk=item.pk, status="processing").exists():
        later(apart_s)
        took_s += apart_s
        sweep_if_due()
        assert took_s <= settings.LEASE_S + max(settings.LEASE_S / 2 + 1, 2 * apart_s)
    assert took_s >= settings.LEASE_S


@pytest.mark.parametrize("interval_s", [5, 30])
def test_after_an_outage_workers_have_time_to_renew_their_leases(
    user: User, settings: LazySettings, interval_s: float
) -> None:
    settings.LEASE_S, settings.SWEEP_INTERVAL_S = 20, interval_s
    QueueState.objects.create(pk=1, swept_at=timezone.now())
    items = [make_item(user) for _ in range(2)]
    held = [claim() for _ in items]
    later(600)
    assert sweep_if_due()
    assert VideoItem.objects.filter(status="processing").count() == 2
    heartbeats.renew(held[:1])
    later(interval_s)
    assert sweep_if_due()
    assert VideoItem.objects.get(status="processing").pk == held[0].item_id


def test_the_first_sweep_of_all_takes_nothing_back(user: User) -> None:
    make_item(user)
    claim()
    later(600)
    assert sweep_if_due()
    assert VideoItem.objects.get().status == "processing"


# --- Cleaning --------------------------------------------------------------------------------------


def test_expired_sessions_and_idempotency_records_are_forgotten(user: User) -> None:
    client_for(user), client_for(user)
    expired = Session.objects.all()[:1].get()
    Session.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    now = timezone.now()
    for key, created in (("old", now - timedelta(hours=25)), ("new", now)):
        IdempotencyRecord.objects.create(user=user, key=key, fingerprint="f", created_at=created)
    clean()
    assert Session.objects.count() == 1
    assert not Session.objects.filter(pk=expired.pk).exists()
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["new"]


@pytest.mark.parametrize(
    ("work", "steps"),
    [
        (sweep, "remote_jobs.forget_overdue attempts.expire_leases fallback.fall_back lanes.refresh_weights"),
        (sweep, "lanes.refresh_weights wake_workers usage.merge"),
        (clean, "idempotency.delete_expired sessions.delete_expired login_limits.delete_expired"),
        (clean, "handover.delete_expired shares.delete_expired figures.forget_dead_workers"),
        (clean, "retention.announce retention.expire uploads.delete_abandoned"),
        (sweeping.clean_if_due, "scratch.clean mails.work_off remove_files idempotency.delete_expired"),
    ],
)
def test_a_step_that_fails_is_logged_and_keeps_no_other_from_its_turn(
    user: User,
    work: Callable[[], None],
    steps: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_item(user)
    for broken in steps.split():
        done: list[str] = []

        def step(*_: Any, name: str, broken: str = broken, done: list[str] = done) -> None:
            if name == broken:
                raise OverflowError("date value out of range")
            done.append(name)

        for name in steps.split():
            monkeypatch.setattr(f"{sweeping.__name__}.{name}", partial(step, name=name))
        QueueState.objects.update(cleaned_at=None)
        caplog.clear()
        work()
        assert done == [name for name in steps.split() if name != broken]
        assert "date value out of range" in caplog.text


def test_old_scratch_files_and_old_entries_of_the_cache_are_removed(db: None, settings: LazySettings) -> None:
    cache = settings.WORK_DIR / scratch.CACHE_FOLDER
    cache.mkdir(parents=True, exist_ok=True)
    old_file, old_folder = settings.WORK_DIR / "upload.tmp", settings.WORK_DIR / "render-lost"
    old_folder.mkdir()
    old_entry, young_entry = cache / "old", cache / "young"
    for path in (old_file, old_folder / "video.mp4", old_entry, young_entry):
        path.write_bytes(b"x")
    for path in (old_file, old_folder, old_entry):
        os.utime(path, (time.time() - OLD_S,) * 2)
    scratch.clean()
    assert not old_file.exists()
    assert not old_folder.exists()
    assert not old_entry.exists()
    assert young_entry.exists()
    young_entry.unlink()
