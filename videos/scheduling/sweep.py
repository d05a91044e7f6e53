"""The sweep: what keeps an accepted batch from being lost, whatever crashed."""

import logging
import shutil
import time
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.services import login_limits, sessions, usage
from videos.models import Batch, QueueState
from videos.scheduling.claims import work_waits
from videos.scheduling.hints import wake_workers
from videos.services import attempts, uploads
from videos.services.clock import database_now
from videos.store import storage
from zhiying.kernel import idempotency

CLEANING_INTERVAL = timedelta(hours=1)
ORPHAN_AGE = timedelta(hours=6)
"""Files without a row younger than this may belong to a batch that is just being created."""
SCRATCH_AGE_S = 24 * 3600
HINTS_PER_SWEEP = 8
CACHE_FOLDER = "cache"
"""Below WORK_DIR: what engines keep between renders."""

logger = logging.getLogger(__name__)


def sweep_if_due() -> bool:
    """Sweep unless some worker did within SWEEP_INTERVAL_S; says whether it did."""
    lease = timedelta(seconds=settings.LEASE_S)
    workers_had_time = QueueState.objects.filter(pk=1, swept_at__gte=database_now(-lease)).exists()
    if not _take_turn("swept_at", timedelta(seconds=settings.SWEEP_INTERVAL_S)):
        return False
    # After an outage of the database all leases have run out, and the workers live: they renew them first.
    sweep(take_back=workers_had_time)
    if _take_turn("cleaned_at", CLEANING_INTERVAL):
        clean()
    return True


def sweep(*, take_back: bool = True) -> None:
    """Take back the items of silent workers and send hints again for whatever waits."""
    lost = attempts.expire_leases() if take_back else 0
    if lost:
        logger.warning("Took back %d items of workers that went silent", lost)
    if work_waits():
        wake_workers(HINTS_PER_SWEEP)
    usage.merge()


def clean() -> None:
    """Remove what nobody needs any more: files without rows, expired records, old scratch files."""
    orphans = delete_orphaned_folders()
    abandoned = uploads.delete_abandoned()
    records = idempotency.delete_expired() + sessions.delete_expired() + login_limits.delete_expired()
    # Logins of administrators to the Django site.
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    _delete_old_scratch(settings.WORK_DIR)
    if orphans or abandoned or records:
        logger.info(
            "Removed %d orphaned folders, %d old uploads and %d expired records", orphans, abandoned, records
        )


def delete_orphaned_folders() -> int:
    """Delete folders of batches that do not exist; returns how many."""
    folders = storage.batch_folders()
    known = {str(pk) for pk in Batch.objects.values_list("pk", flat=True).iterator()}
    removed = 0
    for name in folders:
        prefix = f"{storage.BATCHES}/{name}"
        if name in known:
            continue
        changed = storage.newest_change(prefix)
        if changed is None or changed < timezone.now() - ORPHAN_AGE:
            storage.delete_tree(prefix)
            removed += 1
    return removed


def _take_turn(field: str, interval: timedelta) -> bool:
    """One UPDATE by the database's clock decides which of all workers does what is due."""
    QueueState.objects.get_or_create(pk=1)
    due = Q(**{field: None}) | Q(**{f"{field}__lte": database_now(-interval)})
    return bool(QueueState.objects.filter(due, pk=1).update(**{field: database_now()}))


def _delete_old_scratch(root: Path) -> None:
    limit = time.time() - SCRATCH_AGE_S
    for path in root.glob("*"):
        if path.name == CACHE_FOLDER:
            _delete_old_scratch(path)
        elif path.stat().st_mtime < limit:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
