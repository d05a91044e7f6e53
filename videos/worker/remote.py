"""Carries the jobs of remote engines: for each of them one thread looks after hundreds of them.

Every round it keeps its rows, adopts what others have left, notices what nobody wants any more, claims what
there is room for, and looks at what is due. What takes a while (sending, looking, fetching, cancelling) is
done by a few hands; a job has no thread and no process while its server works on it.
"""

import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from os import getpid
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from engines.base import EngineError, EngineUnavailableError
from engines.remote import JobState, JobView
from videos.engine_names import lane_engines_of
from videos.models import RemoteJob
from videos.scheduling.claims import claim_next
from videos.scheduling.engines import items_at_once, remote
from videos.services import heartbeats, remote_jobs, taking
from videos.services.remote_jobs import LostJobError
from videos.worker import remote_hands
from videos.worker.carried import Carried
from videos.worker.remote_hands import Next
from videos.worker.slots import slots
from videos.worker.stopping import stopping
from videos.worker.trouble import DATABASE_AWAY, breaker, engine_failed, pause, wish_of

ROUND_S = 1.0
HANDS = 8
"""What is done at once of sending, looking, fetching and cancelling."""
LOOKED_AT_ONCE = 100
FIRST_LOOK_S, LONGEST_LOOK_S, LOOKS_GROW = 2.0, 30.0, 0.05
"""A job is looked at again after a twentieth of its age, within these bounds."""
TROUBLE_S, LONGEST_TROUBLE_S = 2.0, 60.0

logger = logging.getLogger(__name__)
State = RemoteJob.State


class Carrier:
    """All jobs of one process. `round` is called by one thread."""

    def __init__(self, engine: str, hands: Executor | None = None) -> None:
        self.id = uuid4()
        self._engine = engine
        self._hands = hands or ThreadPoolExecutor(HANDS, thread_name_prefix="remote-hand")
        self._lock = threading.Lock()
        self._carried: dict[UUID, Carried] = {}
        self._looking = self._taking_on = False
        self._renewed_at = self._heeded_at = float("-inf")

    def round(self) -> None:
        """One look at everything; quick, because whatever waits for a server is given to a hand."""
        now = time.monotonic()
        if now - self._renewed_at >= settings.LEASE_S / 4:
            remote_jobs.renew(self.id, self._jobs())
            self._renewed_at = now
        if now - self._heeded_at >= settings.HEARTBEAT_S:
            self._heed()
            self._show_progress()
            self._heeded_at = now
        self._take_on()
        self._look()
        self._hand_out()

    def stop(self, timeout_s: float) -> None:
        """Wait a moment for the hands, and let everything go, for others to go on with."""
        ends_at = time.monotonic() + timeout_s
        while self._busy() and time.monotonic() < ends_at:
            time.sleep(0.05)
        self._hands.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            at_work = [key for key, carried in self._carried.items() if carried.busy]
        remote_jobs.let_go(self.id, but=at_work)  # what a hand sends now would be sent twice

    def results_waiting(self) -> int:
        """How many results are at the server and may be fetched now for the first time.

        One that could not be fetched has no precedence any more: its server may hang, in every try anew.
        """
        now = time.monotonic()
        with self._lock:
            return sum(
                carried.job.state == State.SENT
                and carried.done
                and not carried.busy
                and not carried.job.troubles
                and carried.due <= now
                for carried in self._carried.values()
            )

    def items(self) -> list[UUID]:
        with self._lock:
            return [carried.job.item_id for carried in self._carried.values()]

    # --- Every round ---

    def _room(self) -> int:
        with self._lock:
            return int(max(0, items_at_once(self._engine) - len(self._carried)))

    def _jobs(self) -> list[UUID]:
        with self._lock:
            return list(self._carried)

    def _take(self, job: RemoteJob, *, is_new: bool = False) -> None:
        with self._lock:
            self._carried[job.pk] = Carried(job, is_new=is_new)

    def _drop(self, job_id: UUID) -> None:
        with self._lock:
            self._carried.pop(job_id, None)

    def _heed(self) -> None:
        """What is another's by now, was cancelled, deleted or taken back, or takes too long."""
        with self._lock:
            idle = {key: carried.job for key, carried in self._carried.items() if not carried.busy}
        if not idle:
            return
        mine, late = remote_jobs.carried_by(self.id), remote_jobs.overdue(self.id)
        wanted = {key: job for key, job in idle.items() if key in mine and job.state != State.CANCEL}
        claims = {key: remote_jobs.claim_of(job) for key, job in wanted.items()}
        held = heartbeats.still_held(claims.values())
        held -= remote_jobs.fail_for_time(held.intersection(claims[key] for key in claims.keys() & late))
        for key in idle:
            if key not in mine:
                self._drop(key)
            elif key in wanted and claims[key] not in held:
                self._cancel(wanted[key])

    def _cancel(self, job: RemoteJob) -> None:
        """Nobody wants the result; a hand tells the server."""
        try:
            remote_jobs.to_cancel(job)
        except LostJobError:
            self._drop(job.pk)

    def _show_progress(self) -> None:
        now = time.monotonic()
        with self._lock:
            changed = [
                carried
                for carried in self._carried.values()
                if carried.to_show() != carried.shown
                and carried.job.state == State.SENT
                and now - carried.shown_at >= settings.HEARTBEAT_S
            ]
        for carried in changed:
            carried.shown, carried.shown_at = carried.to_show(), now
            heartbeats.show_progress(
                remote_jobs.claim_of(carried.job),
                carried.progress,
                server_position=carried.position,
                server_eta_s=carried.eta_s,
            )

    def _take_on(self) -> None:
        """What others have left, and what waits: by a hand, because a look for the end of trouble may take
        a while."""
        with self._lock:
            if self._taking_on or stopping.is_set():
                return
            self._taking_on = True
        self._submit(self._adopt_and_claim, self._took_on)

    def _adopt_and_claim(self) -> None:
        """No more is claimed than hands are free: it is sent at once."""
        try:
            if room := self._room():
                for job in remote_jobs.adopt(self.id, [self._engine], room, but=self._jobs()):
                    self._take(job)
            lanes = lane_engines_of([self._engine])
            while not stopping.is_set() and self._may_claim():
                if not taking.work_waits(lanes):
                    return
                claim = claim_next(f"{socket.gethostname()}:{getpid()}", [self._engine])
                if claim is None:
                    return
                if begun := remote_jobs.begin(claim, engine=self._engine, carrier=self.id):
                    self._take(begun, is_new=True)
                    self._hand_out()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Could not look for work: %s", type(error).__name__)
            close_old_connections()
            pause.begin(DATABASE_AWAY)
        except EngineUnavailableError as error:
            logger.error("The engine cannot be used: %s", error.detail)
            engine_failed(self._engine, error)

    def _may_claim(self) -> bool:
        clear = pause.over() and breaker(self._engine).over()
        return clear and self._room() > 0 and self._free_hands() > 0

    def _took_on(self) -> None:
        with self._lock:
            self._taking_on = False

    def _look(self) -> None:
        now = time.monotonic()
        with self._lock:
            if self._looking or stopping.is_set():
                return
            due = [
                carried
                for carried in self._carried.values()
                if carried.job.state == State.SENT
                and not carried.busy
                and not carried.done
                and carried.due <= now
            ][:LOOKED_AT_ONCE]
            if not due:
                return
            self._looking = True
        self._submit(partial(self._look_at, due), self._looked)

    def _hand_out(self) -> None:
        """What is to be sent, looked for, cancelled or fetched."""
        while not stopping.is_set() and self._free_hands() > 0:
            carried = self._pick()
            if carried is None:
                return
            self._submit(partial(self._step, carried), partial(self._stepped, carried))

    def _pick(self) -> Carried | None:
        """One that waits for a hand, which it has from now on. Results need a place to be finished in."""
        now, places = time.monotonic(), slots.free()
        with self._lock:
            places -= sum(carried.busy and carried.done for carried in self._carried.values())
            for carried in self._carried.values():
                waits = carried.job.state != State.SENT or (carried.done and places > 0)
                if waits and not carried.busy and carried.due <= now:
                    carried.busy = True
                    return carried
        return None

    # --- By the hands ---

    def _submit(self, work: Callable[[], None], after: Callable[[], None]) -> None:
        """Raises RuntimeError where no hand can be begun, unless an idle one has done the work already."""
        turn = threading.Lock()  # whoever comes first: an executor keeps what it could begin no thread for

        def do() -> None:
            if not turn.acquire(blocking=False):
                return
            try:
                close_old_connections()
                work()
            except Exception:
                logger.exception("A remote job could not be gone on with")
            finally:
                after()

        try:
            self._hands.submit(do)
        except RuntimeError:
            if turn.acquire(blocking=False):
                after()
            raise

    def _step(self, carried: Carried) -> None:
        job = carried.job
        if job.state == State.CANCEL:
            step = remote_hands.cancel
        elif carried.is_new:
            step = remote_hands.send
            carried.is_new = False
        elif job.state == State.INTENT:
            step = remote_hands.find
        else:
            step = remote_hands.fetch
        carried.due = time.monotonic() + LONGEST_TROUBLE_S  # if this ends in an exception
        try:
            following = step(remote(self._engine), job)
        except LostJobError:
            following = Next.ENDED
        match following:
            case Next.ENDED:
                self._drop(job.pk)
            case Next.LOOK:
                carried.done = False
                carried.due = time.monotonic() + FIRST_LOOK_S
            case Next.LATER:
                carried.due = time.monotonic() + _spread(
                    min(LONGEST_TROUBLE_S, TROUBLE_S * 2 ** min(job.troubles, 6))
                )

    def _stepped(self, carried: Carried) -> None:
        with self._lock:
            carried.busy = False

    def _look_at(self, due: Sequence[Carried]) -> None:
        jobs = {carried.job.their_id: carried for carried in due}
        views: Mapping[str, JobView] = {}
        wish_s = 0.0
        try:
            views = remote(self._engine).look(list(jobs))
        except EngineUnavailableError as error:
            logger.warning("Jobs could not be looked at: %s", error.detail)
            engine_failed(self._engine, error)
            wish_s = wish_of(error)
        except EngineError as error:
            logger.error("Jobs could not be looked at: %s", error.detail)
        now = time.monotonic()
        for their_id, carried in jobs.items():
            interval = min(LONGEST_LOOK_S, max(FIRST_LOOK_S, LOOKS_GROW * (now - carried.since)))
            carried.due = now + max(_spread(interval), wish_s)
            if (view := views.get(their_id)) is not None:
                self._heard(carried, view)

    def _heard(self, carried: Carried, view: JobView) -> None:
        match view.state:
            case JobState.WAITING | JobState.RUNNING:
                carried.goes_on(view)
            case JobState.DONE:
                carried.is_made()
            case _:
                if remote_hands.ended_badly(carried.job, view) is Next.ENDED:
                    self._drop(carried.job.pk)

    def _looked(self) -> None:
        with self._lock:
            self._looking = False

    def _free_hands(self) -> int:
        return HANDS - self._busy()

    def _busy(self) -> int:
        with self._lock:
            return sum(carried.busy for carried in self._carried.values()) + self._looking


def _spread(seconds: float) -> float:
    """So that many jobs, and many workers, do not come at the same moment."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311


_carriers: dict[str, Carrier] = {}


def carry(engine: str) -> None:
    """A round of this process's carrier of an engine, which is made with the first."""
    if engine not in _carriers:
        _carriers[engine] = Carrier(engine)
    _carriers[engine].round()


def leave_jobs(timeout_s: float) -> None:
    """This process stops."""
    ends_at = time.monotonic() + timeout_s
    while _carriers:
        _name, carrier = _carriers.popitem()
        carrier.stop(max(0.0, ends_at - time.monotonic()))


def results_waiting() -> int:
    """How many results of this process's jobs wait for a place to be finished in."""
    return sum(carrier.results_waiting() for carrier in list(_carriers.values()))


def carried_items() -> list[UUID]:
    """What this process carries now, in no order."""
    return [item for carrier in list(_carriers.values()) for item in carrier.items()]
