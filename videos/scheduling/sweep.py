"""The sweep: what keeps an accepted batch from being lost, whatever crashed.

Each step is on its own: one that fails, every time perhaps, keeps no other from its turn.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
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
from zhiying.kernel.outages import drop_broken_connection, log_trouble

CLEANING_INTERVAL = timedelta(hours=1)
RETENTION_BUDGET_S = 30.0
"""For announcing, and as long again for removing."""
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
    _step("ends of overdue jobs", remote_jobs.forget_overdue)
    _step("taking back", partial(_take_back, silent_since))
    _step("falling back", _fall_back)
    _step("weights of lanes", lanes.refresh_weights)
    _step("hints", _send_hints)
    _step("sums of usage", usage.merge)


def _take_back(silent_since: datetime | None) -> None:
    if lost := attempts.expire_leases(silent_since):
        repaired(Repair.ITEMS_TAKEN_BACK, lost)
        logger.warning("Took back %d items of workers that went silent", lost)


def _send_hints() -> None:
    if work_waits(lane_engines_of(all_engines())):
        wake_workers(HINTS_PER_SWEEP)


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
    _step("scratch files", scratch.clean)
    _step("letters", mails.work_off)
    _step("removal of files", remove_files)
    if _take_turn("cleaned_at", CLEANING_INTERVAL):
        clean()


def clean() -> None:
    """Forget what nobody needs any more: expired records, abandoned uploads, files kept long enough."""
    records = sum(
        _step(name, forget)
        for name, forget in (
            ("idempotency records", idempotency.delete_expired),
            ("sessions", sessions.delete_expired),
            ("attempts to log in", login_limits.delete_expired),
            ("handovers", handover.delete_expired),
            ("links", shares.delete_expired),
            ("dead workers", figures.forget_dead_workers),
        )
    )
    # Logins of administrators to the Django site.
    _step("site sessions", import_module(settings.SESSION_ENGINE).SessionStore.clear_expired)
    announced = _step("retention notices", lambda: _all_of(retention.announce))
    expired = _step("retention", lambda: _all_of(retention.expire))
    abandoned = _step("abandoned uploads", uploads.delete_abandoned)  # last: it needs the store
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


def _step(name: str, work: Callable[[], int | None]) -> int:
    """How much a step did; 0 where it failed, which is logged and concerns no other."""
    try:
        return work() or 0
    except Exception as error:  # noqa: BLE001  (logged, and its turn comes again)
        log_trouble(name, error)
        drop_broken_connection()
        return 0


def _all_of(work: Callable[[], int]) -> int:
    """Do a part of it again and again until nothing is left, for `RETENTION_BUDGET_S` at most."""
    ends_at, done = time.monotonic() + RETENTION_BUDGET_S, 0
    while time.monotonic() < ends_at and (now := work()):
        done += now
    return done


def _take_turn(field: str, interval: timedelta) -> bool:
    """One UPDATE by the database's clock decides which of all workers does what is due."""
    QueueState.objects.get_or_create(pk=1)
    due = Q(**{field: None}) | Q(**{f"{field}__lte": database_now(-interval)})
    return bool(QueueState.objects.filter(due, pk=1).update(**{field: database_now()}))
