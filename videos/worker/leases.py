"""Keeps the leases of everything this process works on, through fetching, rendering and storing."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from videos.services import attempts
from videos.services.attempts import Claim
from videos.worker.stopping import stopping

LOOKS_PER_HEARTBEAT = 4
"""A cancelled item is noticed within this part of a heartbeat."""
SHORTEST_LOOK_S = 0.05

logger = logging.getLogger(__name__)


class Watch:
    """One claim that is being worked on, and how far the work is."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.progress = 0
        """Percent."""
        self.lost = False
        """Somebody cancelled the item, or took it over: the work is in vain."""
        self._written = 0
        self._written_at = self._sure_at = time.monotonic()

    def __call__(self, share: float) -> bool:
        """Tell how much is done (0.0 to 1.0); False when the work should stop."""
        self.progress = int(share * 100)
        return not (self.lost or stopping.is_set())

    def keep(self, held: bool) -> None:
        """Renew the lease when it is time, and write progress that changed; `held`: as the database says."""
        now = time.monotonic()
        if not held:
            self.lost = True
            return
        self._sure_at = now
        since = now - self._written_at
        changed = self.progress != self._written and since >= settings.HEARTBEAT_S
        if changed or since >= settings.LEASE_S / 4:
            progress = self.progress
            self.lost = not attempts.heartbeat(self.claim, progress=progress)
            self._written, self._written_at = progress, now

    def doubt(self) -> None:
        """The database could not be asked: after a lease without it the item is another's."""
        if time.monotonic() - self._sure_at > settings.LEASE_S:
            self.lost = True


class LeaseKeeper:
    """One thread for all claims of the process; it lives while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, claim: Claim) -> Iterator[Watch]:
        """Keep the claim's lease for as long as the context lasts."""
        watch = Watch(claim)
        with self._lock:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
        try:
            yield watch
        finally:
            with self._lock:
                self._watches.discard(watch)

    def items(self) -> list[UUID]:
        """What this process works on now."""
        with self._lock:
            return sorted(watch.claim.item_id for watch in self._watches)

    def _run(self) -> None:
        while True:
            with self._lock:
                watches = list(self._watches)
                if not watches:
                    self._thread = None
                    break
            self._look(watches)
            time.sleep(max(SHORTEST_LOOK_S, settings.HEARTBEAT_S / LOOKS_PER_HEARTBEAT))
        connections.close_all()

    def _look(self, watches: list[Watch]) -> None:
        try:
            close_old_connections()
            held = attempts.still_held([watch.claim for watch in watches])
            for watch in watches:
                watch.keep(watch.claim.item_id in held)
        except DatabaseError as error:
            logger.warning("Leases could not be renewed: %s", type(error).__name__)
            for watch in watches:
                watch.doubt()
        except Exception:
            logger.exception("Leases could not be renewed")


keeper = LeaseKeeper()
"""That of this process."""
