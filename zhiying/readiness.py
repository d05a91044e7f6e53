"""Can this process serve? `/readyz` tells what it cannot do without from what it gets along without.

Without the database nothing can be answered: `unavailable`, 503, and a load balancer sends nobody here.
Without broker, store, workers or engine much goes on (submissions are kept, and rendered later): `degraded`,
200, because taking every web process away would make it worse.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import dramatiq
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection

from videos.scheduling.engine_state import engine_state
from videos.scheduling.figures import living_workers
from videos.store.backends import is_remote
from videos.store.installation import StoreProblem, store_problem
from zhiying.broker import check_broker
from zhiying.kernel.questions import Question

DATABASE, STORAGE, BROKER, WORKERS, ENGINE = "database", "storage", "broker", "workers", "engine"
INSTALLATION = "installation"
INDISPENSABLE = frozenset({DATABASE})

PATIENCE_S = 1.5
"""How long a part may take to answer before it counts as away; all are asked at once."""
FRESH_S = 1.0
REMOTE_FRESH_S = 5.0
"""How long an answer is kept, however often somebody looks; longer where asking means a connection."""
MIN_FREE_BYTES = 200_000_000
"""Less room than this for media or uploads counts as none."""


@dataclass(frozen=True)
class Readiness:
    """Which parts do not answer."""

    failed: tuple[str, ...]

    @property
    def can_serve(self) -> bool:
        return INDISPENSABLE.isdisjoint(self.failed)

    @property
    def status(self) -> str:
        if not self.can_serve:
            return "unavailable"
        return "degraded" if self.failed else "ok"


def readiness() -> Readiness:
    """Ask every part at once; takes at most `PATIENCE_S`."""
    for question in QUESTIONS.values():
        question.begin()
    well = {name for name, question in QUESTIONS.items() if question.answer()}
    if DATABASE not in well:  # what is known of workers lies there
        well |= {WORKERS, ENGINE, INSTALLATION}
    if STORAGE not in well:  # and the other half of this lies there
        well |= {INSTALLATION}
    return Readiness(tuple(name for name in QUESTIONS if name not in well))


def database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM users LIMIT 1")  # and it is migrated
    return True


def _storage_answers() -> bool:
    if is_remote():
        default_storage.exists("readiness-probe")
        return _has_room(settings.WORK_DIR)
    return _has_room(settings.MEDIA_ROOT) and _has_room(settings.WORK_DIR)


def _the_store_is_ours() -> bool:
    """Else files are kept for ever, because none is removed from a store that may be somebody else's."""
    return store_problem() is StoreProblem.NONE


def _has_room(folder: Path) -> bool:
    """Whether files can be written below a folder, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= MIN_FREE_BYTES


def _broker_answers() -> bool:
    check_broker(dramatiq.get_broker())
    return True


def _a_worker_lives() -> bool:
    return living_workers().exists()


def _the_engine_works() -> bool:
    """What else keeps workers from rendering, such as their disk, is no trouble of the engine's."""
    return engine_state().works or not living_workers().exists()


def _question(ask: Callable[[], bool], fresh_s: float = FRESH_S) -> Question[bool]:
    return Question(ask, fresh_s=fresh_s, patience_s=PATIENCE_S)


QUESTIONS: Mapping[str, Question[bool]] = {
    DATABASE: _question(database_answers),
    STORAGE: _question(_storage_answers, REMOTE_FRESH_S),
    INSTALLATION: _question(_the_store_is_ours, REMOTE_FRESH_S),
    BROKER: _question(_broker_answers, REMOTE_FRESH_S),
    WORKERS: _question(_a_worker_lives),
    ENGINE: _question(_the_engine_works),
}
