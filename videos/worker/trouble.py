"""Trouble that is not an item's: the store, the disk, the database or the engine is away.

It costs no item a try. While the store, the disk or the database is away the worker takes no items; while an
engine cannot work, none for that engine: each engine has a circuit breaker of its own. The worker looks again
after longer and longer pauses, or when a server asked for it, and says so in its row of the registry.
"""

import logging
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC, EROFS

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection

from engines.base import EngineBusyError, EngineError, EngineUnavailableError
from videos.scheduling.engines import capabilities_of, readiness_of
from zhiying.kernel.counters import Troubled, met_trouble

DISK_FULL = "disk_full"
STORE_AWAY = "store_away"
ENGINE_UNAVAILABLE = "engine_unavailable"
DATABASE_AWAY = "database_away"
_PARTS = {
    DISK_FULL: Troubled.DISK,
    STORE_AWAY: Troubled.STORAGE,
    ENGINE_UNAVAILABLE: Troubled.ENGINE,
    DATABASE_AWAY: Troubled.DATABASE,
}

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
LONGEST_WISH_S = 600.0
"""A server that asks for a longer pause is looked at all the same."""
MIN_FREE_BYTES = 200_000_000
"""Less than this on the scratch disk counts as full: a render needs room for its video."""

logger = logging.getLogger(__name__)


class TroubleError(Exception):
    """The work cannot go on now, through no fault of the item; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def using_the_store() -> Iterator[None]:
    """What goes wrong between us and the store is the store's trouble, or the disk's.

    A file that is not there is neither: `FileNotFoundError` passes through.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TroubleError(DISK_FULL if _is_full(error) else STORE_AWAY) from error
    except (BotoCoreError, ClientError) as error:
        raise TroubleError(STORE_AWAY) from error


def _is_full(error: OSError) -> bool:
    return error.errno in {ENOSPC, EDQUOT, EROFS}


def disk_is_full() -> bool:
    """Whether the scratch disk has no room for another render."""
    return shutil.disk_usage(settings.WORK_DIR).free < MIN_FREE_BYTES


def _store_answers() -> bool:
    default_storage.exists("readiness-probe")
    return True


def _database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


PROBES: Mapping[str, Callable[[], bool]] = {
    DISK_FULL: lambda: not disk_is_full(),
    STORE_AWAY: _store_answers,
    DATABASE_AWAY: _database_answers,
}
"""What says that the trouble of a process is over."""


class Pause:
    """Keeps a process from taking items, or items of one engine, while trouble lasts."""

    def __init__(self, probes: Mapping[str, Callable[[], bool]], what: str) -> None:
        self._probes, self._what = probes, what
        self._lock = threading.Lock()
        self.code = ""
        """Why no items are taken; empty while they are."""
        self._pause_s = 0.0
        self._until = 0.0

    def begin(self, code: str, *, wish_s: float = 0.0) -> None:
        """Trouble was met: no items for a while, for longer each time in a row, at least for `wish_s`."""
        met_trouble(_PARTS[code])
        with self._lock:
            if not self.code:
                logger.error("No %s are taken: %s", self._what, code)
            asked_until = self._until if self.code else 0.0  # one that asked for a pause keeps it
            self.code = code
            self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, self._pause_s * 2))
            # spread, so that many workers do not come back at the same moment
            pause_s = self._pause_s * random.uniform(0.5, 1.0)  # noqa: S311
            self._until = max(asked_until, time.monotonic() + max(pause_s, wish_s))

    def over(self) -> bool:
        """Whether items may be taken; looks for the end of the trouble when its pause has passed."""
        with self._lock:
            if not self.code:
                return True
            if time.monotonic() < self._until:
                return False
            code = self.code
        if not _passes(self._probes[code]):
            self.begin(code)
            return False
        with self._lock:
            logger.warning("Again %s are taken; the trouble was: %s", self._what, code)
            self.code = ""
        return True

    def succeeded(self) -> None:
        """An item was finished, so the next trouble begins with a short pause again."""
        with self._lock:
            if not self.code:
                self._pause_s = 0.0


def _passes(probe: Callable[[], bool]) -> bool:
    try:
        return probe()
    except (OSError, BotoCoreError, ClientError, DatabaseError, EngineError):
        return False


pause = Pause(PROBES, "items")
"""That of this process."""

_breakers: dict[str, Pause] = {}
_breakers_lock = threading.Lock()


def breaker(engine: str) -> Pause:
    """That of one engine in this process."""
    with _breakers_lock:
        if engine not in _breakers:
            probes = {ENGINE_UNAVAILABLE: lambda: readiness_of(engine, fresh=True).ready}
            _breakers[engine] = Pause(probes, f"items of the engine {engine}")
        return _breakers[engine]


def engine_failed(engine: str, error: EngineUnavailableError) -> None:
    """An engine cannot work now, whatever it is given."""
    breaker(engine).begin(ENGINE_UNAVAILABLE, wish_s=wish_of(error))


def wish_of(error: EngineUnavailableError) -> float:
    """Seconds for which a server asked to be left alone."""
    asked_s = error.retry_after_s if isinstance(error, EngineBusyError) else None
    return min(LONGEST_WISH_S, asked_s or 0.0)


def working(engines: Iterable[str]) -> list[str]:
    """Those of these engines that are not in trouble and can be loaded."""
    found = []
    for engine in engines:
        if not breaker(engine).over():
            continue
        try:
            capabilities_of(engine)
        except EngineUnavailableError as error:
            logger.error("The engine %s cannot be used: %s", engine, error.detail)
            engine_failed(engine, error)
        else:
            found.append(engine)
    return found


def forget_troubles() -> None:
    """As in a process that has just started."""
    pause.code = ""
    with _breakers_lock:
        _breakers.clear()
