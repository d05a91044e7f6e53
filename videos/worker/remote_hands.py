"""What is done for one remote job at a time: send it, look for it, fetch it, cancel it, end it.

Each step ends in what is next. Nothing that was generated is given up for trouble of ours: while the store,
the disk or the database is away, the result waits at its server.
"""

import logging
from contextlib import AbstractContextManager
from enum import Enum
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from engines.base import (
    EngineBusyError,
    EngineError,
    EngineStoppedError,
    EngineUnavailableError,
    RenderSpec,
)
from engines.remote import GENERATED, JobOrder, JobState, JobView, RemoteEngine
from videos import counters
from videos.counters import Outcome
from videos.models import RemoteJob
from videos.scheduling import forecast
from videos.services import attempts, remote_jobs
from videos.services.attempts import Claim, Sources, Verdict
from videos.services.remote_jobs import LostJobError
from videos.store import scratch
from videos.worker.counting import count_render, count_wait
from videos.worker.fetching import local_sources
from videos.worker.leases import Watch, keeper
from videos.worker.renderer import (
    RenderAbandonedError,
    RenderFailedError,
    storable,
    storable_params,
)
from videos.worker.slots import Slot, slots
from videos.worker.storing import store_result
from videos.worker.trouble import (
    DATABASE_AWAY,
    DISK_FULL,
    TroubleError,
    breaker,
    disk_is_full,
    engine_failed,
    pause,
)
from videos.worker.verdicts import surely
from zhiying.kernel import tracing
from zhiying.kernel.clock import database_time
from zhiying.kernel.log_lines import belongs_to

FINISHING_TRIES = 3
"""How often a result is fetched and finished before its item fails; trouble of ours does not count."""
CANCEL_TRIES = 20

logger = logging.getLogger(__name__)


Trouble = TroubleError | EngineUnavailableError


class Next(Enum):
    """What comes after a step."""

    ENDED = "the row is gone"
    LOOK = "the server has it"
    LATER = "the same again, after a pause"


def send(engine: RemoteEngine, job: RemoteJob) -> Next:
    """Give the server a job of which nothing was sent yet."""
    claim = remote_jobs.claim_of(job)
    with _named(claim):
        sources = attempts.sources_of(claim)
        if sources is None:
            remote_jobs.end(job)
            return Next.ENDED
        count_wait(claim, sources.waited_s)
        try:
            with (
                tracing.span("send", parent=sources.trace),
                scratch.temporary_folder("send-") as folder,
                local_sources(sources, Path(folder)) as (portrait, audio),
            ):
                their_id = engine.submit(_order(job, sources, portrait, audio))
        except Exception as error:  # noqa: BLE001  (what is not known is raised again)
            return _not_sent(job, error)
        breaker(job.engine).succeeded()
        try:
            remote_jobs.sent(job, their_id)
        except LostJobError:
            # This process stood still for so long that another looked for the job, found none, and let its
            # item wait again.
            engine.cancel(their_id)
            raise
        return Next.LOOK


def _not_sent(job: RemoteJob, error: Exception) -> Next:
    match error:
        case FileNotFoundError():
            return _failed(job, Verdict("source_missing"))
        case TroubleError():
            return _given_back(job, error)
        case EngineStoppedError():
            logger.error("The engine cannot work: %s", error.detail)
            return _given_back(job, error)
        case EngineBusyError() if error.nothing_sent:
            logger.warning("A job was not sent: %s", error.detail)
            return _given_back(job, error)
        case EngineUnavailableError():
            # Whether it was sent is not known; the next step looks for it.
            logger.warning("A job may not have been sent: %s", error.detail)
            return _later(job, error)
        case EngineError():
            return _failed(job, _verdict(error))
        case OSError() if disk_is_full():
            return _given_back(job, TroubleError(DISK_FULL))
        case OSError():  # of our own files: an engine's calls have errors of their own
            logger.error("A job could not be sent", exc_info=error)
            return _failed(job, Verdict("internal_error", retryable=True))
    raise error


def find(engine: RemoteEngine, job: RemoteJob) -> Next:
    """After an answer that was lost: is it there? If not, its item waits again and costs no try."""
    with _named(remote_jobs.claim_of(job)):
        try:
            their_id = engine.find(job.pk, job.created_at)
        except EngineUnavailableError as error:
            logger.warning("A job could not be looked for: %s", error.detail)
            return _later(job, error)
        except EngineError as error:
            return _failed(job, _verdict(error))
        if their_id is None:
            return _given_back(job)
        remote_jobs.sent(job, their_id)
        return Next.LOOK


def cancel(engine: RemoteEngine, job: RemoteJob) -> Next:
    """Nobody wants the result: tell the server, for a while."""
    try:
        their_id = job.their_id or engine.find(job.pk, job.created_at)
        if their_id:
            engine.cancel(their_id)
    except EngineUnavailableError as error:
        if job.troubles < CANCEL_TRIES:
            remote_jobs.count_trouble(job)
            return Next.LATER
        logger.error("Job %s could not be cancelled at its server: %s", job.pk, error.detail)
    except EngineError as error:
        logger.warning("Job %s could not be cancelled at its server: %s", job.pk, error.detail)
    remote_jobs.end(job)
    return Next.ENDED


def fetch(engine: RemoteEngine, job: RemoteJob) -> Next:
    """Bring the result, prove it, make it ours and show it."""
    claim = remote_jobs.claim_of(job)
    with _named(claim), slots.taken() as slot:
        if slot is None:
            return Next.LATER
        sources = attempts.sources_of(claim)
        if sources is None:
            remote_jobs.to_cancel(job)
            return Next.LATER
        try:
            with tracing.span("finish", parent=sources.trace):
                shown, audio_s = _bring(engine, job, sources, slot)
        except Exception as error:  # noqa: BLE001  (what is not known is raised again)
            return _not_brought(job, error)
        if shown is None:
            return Next.LATER  # fetched again, by whoever carries the job then
        seconds = (database_time() - job.created_at).total_seconds()
        if shown:
            count_render(claim, seconds)
            forecast.record_speed(job.engine, render_s=seconds, audio_s=audio_s)
            pause.succeeded()
            breaker(job.engine).succeeded()
        else:
            counters.attempt_ended(claim.engine, Outcome.DISCARDED)
        remote_jobs.end(job)
        return Next.ENDED


def _bring(engine: RemoteEngine, job: RemoteJob, sources: Sources, slot: Slot) -> tuple[bool | None, float]:
    """Whether the item shows the result (None: the database was away), and its seconds of audio."""
    claim = remote_jobs.claim_of(job)
    with (
        keeper.watching(claim) as watch,
        scratch.temporary_folder("finish-") as folder,
        local_sources(sources, Path(folder)) as (portrait, audio),
    ):
        spec = _spec(job, sources, Path(folder), portrait, audio)
        engine.fetch(job.their_id, Path(spec.options[GENERATED]))
        result = slot.renderer(job.engine).render(spec, lambda share: _alive(watch, share))
        return store_result(claim, spec, result, engine=job.engine), result.duration_s


def _not_brought(job: RemoteJob, error: Exception) -> Next:
    match error:
        case RenderAbandonedError():
            return Next.LATER  # the process stops, or the next look finds that nobody wants it
        case TroubleError():
            return _later(job, error)
        case DatabaseError() | InterfaceError():
            close_old_connections()
            return _later(job, TroubleError(DATABASE_AWAY))
        case EngineUnavailableError():
            logger.warning("A result could not be fetched: %s", error.detail)
            return _later(job, error)
        case EngineError():
            return _failed(job, _verdict(error))
        case RenderFailedError():
            return _not_finished(job, error)
        case FileNotFoundError():
            return _failed(job, Verdict("source_missing"))
        case OSError() if disk_is_full():
            return _later(job, TroubleError(DISK_FULL))
    raise error


def _not_finished(job: RemoteJob, failure: RenderFailedError) -> Next:
    if disk_is_full():
        return _later(job, TroubleError(DISK_FULL))
    if failure.unavailable:
        return _later(job, EngineUnavailableError(failure.code, failure.detail))
    if failure.retryable and job.unfinished + 1 < FINISHING_TRIES:
        remote_jobs.count_trouble(job, of_result=True)
        return Next.LATER
    verdict = Verdict(failure.code, failure.detail, failure.retryable, failure.params, tries_again=False)
    return _failed(job, verdict)


def ended_badly(job: RemoteJob, view: JobView) -> Next:
    """The server says that there will be no result."""
    with _named(remote_jobs.claim_of(job)):
        match view.state:
            case JobState.UNKNOWN:  # as after a restart of its server: sent again, as another try
                return _failed(job, Verdict("job_lost", retryable=True, pauses=False))
            case JobState.CANCELLED:
                return _failed(job, Verdict("job_cancelled", retryable=True, tries_again=False))
            case _:
                return _failed(job, _verdict(view.error or EngineError("result_missing")))


def _order(job: RemoteJob, sources: Sources, portrait: Path, audio: Path) -> JobOrder:
    return JobOrder(
        job_id=job.pk,
        portrait=portrait,
        audio=audio,
        prompt=sources.prompt,
        seed=job.item_id.int % 2**31,
        audio_s=sources.audio_s,
    )


def _spec(job: RemoteJob, sources: Sources, folder: Path, portrait: Path, audio: Path) -> RenderSpec:
    return RenderSpec(
        portrait=portrait,
        audio=audio,
        output=folder / "video.mp4",
        poster=folder / "poster.jpg",
        prompt=sources.prompt,
        seed=job.item_id.int % 2**31,
        threads=settings.RENDER_THREADS,
        options={
            **settings.ENGINE_OPTIONS,
            "aigc_produce_id": str(job.item_id),
            GENERATED: str(folder / "generated"),
        },
    )


def _alive(watch: Watch, share: float) -> bool:
    """The last part of the bar."""
    return watch(0.95 + 0.05 * share)


def _verdict(error: EngineError) -> Verdict:
    return Verdict(
        storable(error.code, 64),
        storable(error.detail),
        error.retryable,
        storable_params(error.params),
    )


def _failed(job: RemoteJob, verdict: Verdict) -> Next:
    claim = remote_jobs.claim_of(job)
    logger.warning("The item failed: %s", verdict.code)
    return _ended(job, surely(claim, lambda: attempts.fail(claim, verdict)))


def _given_back(job: RemoteJob, trouble: Trouble | None = None) -> Next:
    """Nothing is at the server: the item waits again."""
    _keep_from_taking(job, trouble)
    claim = remote_jobs.claim_of(job)
    return _ended(job, surely(claim, lambda: attempts.release(claim)))


def _ended(job: RemoteJob, verdict: bool | None) -> Next:
    """The verdict first: of an item without one the row is needed, for whoever goes on."""
    if verdict is None:
        return Next.LATER
    remote_jobs.end(job)
    return Next.ENDED


def _later(job: RemoteJob, trouble: Trouble | None = None) -> Next:
    _keep_from_taking(job, trouble)
    remote_jobs.count_trouble(job)
    return Next.LATER


def _keep_from_taking(job: RemoteJob, trouble: Trouble | None) -> None:
    """Trouble of ours keeps the process from taking items, trouble of the engine from taking its own."""
    match trouble:
        case TroubleError():
            pause.begin(trouble.code)
        case EngineUnavailableError():
            engine_failed(job.engine, trouble)


def _named(claim: Claim) -> AbstractContextManager[None]:
    return belongs_to(user=claim.user_id, batch=claim.batch_id, item=claim.item_id, attempt=claim.attempt)
