"""The sweep: what keeps an accepted batch from being lost, whatever crashed."""

import logging
import time
from datetime import datetime, timedelta
from importlib import import_module

from django.conf import settings
from django.db.models import Q

from accounts.services import handover, login_limits, mails, sessions, usage
from videos.counters import Repair, repaired
from videos.engine_names import all_engines, lane_engines_of
from videos.models.queue import NEVER, QueueState
from videos.scheduling import figures
from videos.scheduling.engine_state import engine_states
from videos.scheduling.hints import wake_workers
from videos.services import attempts, fallback, lanes, remote_jobs, retention, shares, uploads
from videos.services.taking import work_waits
from videos.store import deletions, scratch
from videos.store.installation import StoreMismatchError
from zhiying.kernel import idempotency
from zhiying.kernel.clock import as_told, database_now

CLEANING_INTERVAL = timedelta(hours=1)
RETENTION_BUDGET_S = 60.0
HINTS_PER_SWEEP = 8

logger = logging.getLogger(__name__)


def sweep_interval_s() -> float:
    """Half a lease at most: however seldom sweeps are wanted, each can tell an outage by the one before."""
    return float(min(settings.SWEEP_INTERVAL_S, settings.LEASE_S / 2))


def sweep_if_due() -> bool:
    """Sweep unless some worker did within `sweep_interval_s`; says whether it did."""
    silent_since = _silent_since()
    if not _take_turn("swept_at", timedelta(seconds=sweep_interval_s())):
        return False
    sweep(silent_since)
    return True


def _silent_since() -> datetime:
    """By when a lease must have run out for its worker to be taken for dead.

    After an outage of the database all leases have run out, and the workers live: they renew them first. So
    when no sweep came for a lease, only those count that had run out by the last one and were not renewed
    since. What runs out later is for the next sweep, even if all of them come late because workers are busy.
    """
    told = QueueState.objects.filter(pk=1).values_list("swept_at", database_now()).first()
    if told is None or told[0] is None:
        return NEVER
    swept_at, now = told[0], as_told(told[1])
    return now if now - swept_at <= timedelta(seconds=settings.LEASE_S) else swept_at


def sweep(silent_since: datetime | None = None) -> None:
    """Take back the items of workers silent since then, or by now; send hints again for whatever waits."""
    remote_jobs.forget_overdue()
    lost = attempts.expire_leases(silent_since)
    if lost:
        repaired(Repair.ITEMS_TAKEN_BACK, lost)
        logger.warning("Took back %d items of workers that went silent", lost)
    _fall_back()
    lanes.refresh_weights()
    if work_waits(lane_engines_of(all_engines())):
        wake_workers(HINTS_PER_SWEEP)
    usage.merge()


def _fall_back() -> None:
    fallback.note_engines({state.name: state.ready for state in engine_states()})
    if moved := fallback.fall_back():
        repaired(Repair.ITEMS_SENT_ON, moved)
        logger.warning("%d items go to another engine: nobody can work with theirs", moved)


def clean_if_due() -> None:
    """What every worker does beside the sweep, so that a slow store keeps no item waiting.

    It tidies its machine, sends letters, removes files that are on the list, a part of its own, and now and
    then forgets what is old, if no other worker did within the hour.
    """
    scratch.clean()
    mails.work_off()
    remove_files()
    if _take_turn("cleaned_at", CLEANING_INTERVAL):
        clean()


def clean() -> None:
    """Forget what nobody needs any more: expired records, abandoned uploads, files kept long enough."""
    records = idempotency.delete_expired() + sessions.delete_expired() + login_limits.delete_expired()
    records += handover.delete_expired() + shares.delete_expired() + figures.forget_dead_workers()
    # Logins of administrators to the Django site.
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    announced, expired = _keep_retention()
    abandoned = uploads.delete_abandoned()  # last: it needs the store
    repaired(Repair.UPLOADS_ABANDONED, abandoned)
    repaired(Repair.RECORDS_EXPIRED, records)
    if abandoned or records or announced or expired:
        logger.info(
            "Removed %d old uploads and %d expired records; %d batches will lose their files, %d did now",
            abandoned,
            records,
            announced,
            expired,
        )


def remove_files() -> int:
    """Work off the list of deletions for a while; returns how many entries are done."""
    try:
        removed = deletions.work_off()
    except StoreMismatchError as error:
        logger.critical(
            "Nothing is removed from the store (%s): it does not belong to this database. See `manage.py "
            "prepare_store` and docs/storage.md.",
            error.problem,
        )
        return 0
    if removed:
        repaired(Repair.FILES_REMOVED, removed)
        logger.info("Removed the files of %d entries of the list", removed)
    return removed


def _keep_retention() -> tuple[int, int]:
    ends_at, announced, expired = time.monotonic() + RETENTION_BUDGET_S, 0, 0
    while time.monotonic() < ends_at:
        now_announced, now_expired = retention.announce(), retention.expire()
        if not now_announced and not now_expired:
            break
        announced, expired = announced + now_announced, expired + now_expired
    return announced, expired


def _take_turn(field: str, interval: timedelta) -> bool:
    """One UPDATE by the database's clock decides which of all workers does what is due."""
    QueueState.objects.get_or_create(pk=1)
    due = Q(**{field: None}) | Q(**{f"{field}__lte": database_now(-interval)})
    return bool(QueueState.objects.filter(due, pk=1).update(**{field: database_now()}))
