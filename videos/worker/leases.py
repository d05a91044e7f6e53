"""Keeps the leases of everything this process works on, through fetching, rendering and storing."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from videos.services import heartbeats
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
        self._shown = 0
        self._shown_at = self._renewed_at = self._sure_at = time.monotonic()

    def __call__(self, share: float) -> bool:
        """Tell how much is done (0.0 to 1.0); False when the work should stop."""
        self.progress = int(share * 100)
        return not (self.lost or stopping.is_set())

    def seen(self, held: bool) -> None:
        """What the database says of the claim."""
        self.lost = not held
        if held:
            self._sure_at = time.monotonic()

    def needs_renewal(self) -> bool:
        return not self.lost and time.monotonic() - self._renewed_at >= settings.LEASE_S / 4

    def renewed(self) -> None:
        self._renewed_at = time.monotonic()

    def show(self) -> None:
        """Write progress that changed, at most once a heartbeat."""
        progress, now = self.progress, time.monotonic()
        if self.lost or progress == self._shown or now - self._shown_at < settings.HEARTBEAT_S:
            return
        self._shown, self._shown_at = progress, now
        heartbeats.show_progress(self.claim, progress)

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
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="leases", daemon=True)
                thread.start()  # may fail: then the next claim tries again
                self._thread = thread
            self._watches.add(watch)
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
            held = heartbeats.still_held([watch.claim for watch in watches])
            for watch in watches:
                watch.seen(watch.claim in held)
            _renew([watch for watch in watches if watch.needs_renewal()])
            for watch in watches:
                watch.show()
        except DatabaseError as error:
            logger.warning("Leases could not be renewed: %s", type(error).__name__)
            for watch in watches:
                watch.doubt()
        except Exception:
            logger.exception("Leases could not be renewed")


def _renew(watches: list[Watch]) -> None:
    """All leases before any progress: they are what others go by."""
    if watches:
        heartbeats.renew([watch.claim for watch in watches])
        for watch in watches:
            watch.renewed()


keeper = LeaseKeeper()
"""That of this process."""
