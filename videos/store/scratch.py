"""Scratch files: each process has a folder of its own below WORK_DIR, and the lock on it says that it lives.

So what a killed process leaves is known for certain, by whichever process of this machine looks next, and a
process that lives keeps its files however old they are. Locks end with their process, whatever ended it; a
child that outlives it keeps the folder, which it may be using, until its own end.
"""

import fcntl
import logging
import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

PROCESS_PREFIX = "process-"
LOCK = "alive.lock"
CACHE_FOLDER = "cache"
"""Below WORK_DIR: what engines keep between renders."""
OLD_S = 24 * 3600.0
"""Anything else in WORK_DIR, and entries of the cache, are left-overs when they are older."""
LOOK_EVERY_S = 600.0

logger = logging.getLogger(__name__)
_lock = threading.Lock()
_own: dict[int, tuple[Path, int]] = {}
"""This process's folder and the descriptor that holds its lock to the process's end; by process id, because
processes fork."""
_looked_at: dict[int, float] = {}


def own_folder() -> Path:
    """This process's folder. Now and then, and first, what dead processes left is removed."""
    pid, root = os.getpid(), Path(settings.WORK_DIR)
    with _lock:
        known = _own.get(pid)
        if known is None or not known[0].is_dir() or known[0].parent != root:
            if known is not None:
                os.close(_own.pop(pid)[1])
            root.mkdir(parents=True, exist_ok=True)
            _own[pid] = known = _made(root, pid)
        due = time.monotonic() - _looked_at.get(pid, -LOOK_EVERY_S) >= LOOK_EVERY_S
        if due:
            _looked_at[pid] = time.monotonic()
    if due:
        clean()
    return known[0]


def _made(root: Path, pid: int) -> tuple[Path, int]:
    """Locked before it has the name by which others look for dead processes."""
    folder = Path(tempfile.mkdtemp(prefix="new-", dir=root))
    descriptor = os.open(folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    named = root / f"{PROCESS_PREFIX}{pid}-{folder.name.removeprefix('new-')}"
    folder.rename(named)
    return named, descriptor


def temporary_folder(prefix: str) -> "TemporaryDirectory[str]":
    """A folder that lasts as long as its context."""
    return TemporaryDirectory(dir=own_folder(), prefix=prefix, ignore_cleanup_errors=True)


def clean() -> int:
    """Remove what nobody on this machine uses any more; returns how many entries of WORK_DIR."""
    removed, limit = 0, time.time() - OLD_S
    for path in Path(settings.WORK_DIR).glob("*"):
        if path.name == CACHE_FOLDER:
            removed += sum(_remove_if_older(entry, limit) for entry in path.glob("*"))
        elif path.name.startswith(PROCESS_PREFIX):
            removed += _remove_if_dead(path)
        else:
            removed += _remove_if_older(path, limit)
    if removed:
        logger.info("Removed %d scratch files that nobody uses", removed)
    return removed


def _remove_if_dead(folder: Path) -> bool:
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return False
    except OSError:  # without a lock: half removed
        return _remove_if_older(folder, time.time() - LOOK_EVERY_S)
    return True


def _remove_if_older(path: Path, limit: float) -> bool:
    with suppress(FileNotFoundError):
        if path.stat().st_mtime < limit:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
            return True
    return False
