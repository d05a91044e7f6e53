"""One item from claim to verdict."""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from engines.base import RenderSpec
from engines.cores import available_cores
from videos import counters
from videos.counters import Outcome
from videos.engine_names import name_of
from videos.scheduling import forecast
from videos.scheduling.claims import claim_next
from videos.scheduling.engines import local_engines
from videos.scheduling.hints import wake_workers
from videos.services import attempts
from videos.services.attempts import Claim, Sources, Verdict
from videos.store import scratch
from videos.worker.core_share import CoreShare
from videos.worker.counting import count_render, count_wait
from videos.worker.fetching import local_sources
from videos.worker.leases import Watch, keeper
from videos.worker.remote import results_waiting
from videos.worker.renderer import RenderAbandonedError, RenderFailedError
from videos.worker.slots import Slot, slots
from videos.worker.stopping import stopping
from videos.worker.storing import store_result
from videos.worker.trouble import (
    DATABASE_AWAY,
    DISK_FULL,
    ENGINE_UNAVAILABLE,
    Pause,
    TroubleError,
    breaker,
    disk_is_full,
    pause,
    working,
)
from videos.worker.verdicts import surely
from zhiying.kernel import tracing
from zhiying.kernel.log_lines import belongs_to

LONGEST_STRETCH_S = 600.0
"""A hint is answered for no longer: brokers take back messages that are not acknowledged for half an hour."""

logger = logging.getLogger(__name__)
_cores = CoreShare(available_cores())


def work_until_idle() -> int:
    """Do items for as long as there are any; returns how many. Does nothing when all places are busy.

    Results of remote engines are paid for already and come first: they get the places that they need.
    """
    done = 0
    ends_at = time.monotonic() + LONGEST_STRETCH_S
    with slots.taken(leaving=results_waiting()) as slot:
        while slot and time.monotonic() < ends_at and not results_waiting():
            if not _work(slot):
                return done
            done += 1
    if slot:
        wake_workers()  # somebody goes on
    return done


def work_once() -> bool:
    """Claim and finish the item whose turn it is; says whether there was one."""
    with slots.taken() as slot:
        return slot is not None and _work(slot)


def _work(slot: Slot) -> bool:
    # Jobs elsewhere are carried by `videos.worker.remote`.
    if stopping.is_set() or not pause.over() or not (engines := working(local_engines())):
        return False
    try:
        claim = claim_next(f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}", engines)
        sources = attempts.sources_of(claim) if claim else None
    except (OperationalError, InterfaceError) as error:
        logger.warning("Could not look for work: %s", type(error).__name__)
        close_old_connections()
        pause.begin(DATABASE_AWAY)
        return False
    if claim is None:
        return False
    if sources:  # else deleted or taken back since the claim
        count_wait(claim, sources.waited_s)
        ids = belongs_to(user=claim.user_id, batch=claim.batch_id, item=claim.item_id, attempt=claim.attempt)
        with ids, _traced(claim, sources), keeper.watching(claim) as watch:
            _finish(watch, sources, slot)
    return True


@contextmanager
def _traced(claim: Claim, sources: Sources) -> Iterator[None]:
    """The attempt as a part of the trace of the request that let the item wait, after its wait."""
    ids = {"zhiying__batch": claim.batch_id, "zhiying__item": claim.item_id}
    with tracing.span("attempt", parent=sources.trace, zhiying__attempt=claim.attempt, **ids):
        tracing.past("wait", sources.waited_s)
        yield


def _finish(watch: Watch, sources: Sources, slot: Slot) -> None:
    claim = watch.claim
    try:
        with scratch.temporary_folder("render-") as folder:
            _render_and_store(watch, sources, Path(folder), slot)
    except RenderAbandonedError:
        if stopping.is_set():
            surely(claim, lambda: attempts.release(claim))
        else:
            counters.attempt_ended(claim.engine, Outcome.DISCARDED)
        tracing.note(failed="abandoned")
    except RenderFailedError as failure:
        _render_failed(watch, failure)
    except TroubleError as trouble:
        _put_back(watch, trouble.code)
    except (OperationalError, InterfaceError):
        _put_back(watch, DATABASE_AWAY)
    except OSError as error:
        if not disk_is_full():
            _fail_internally(watch, error)
        else:
            _put_back(watch, DISK_FULL)
    except Exception as error:  # noqa: BLE001  (logged, and the item gets its verdict)
        _fail_internally(watch, error)
    else:
        pause.succeeded()
        breaker(name_of(claim.engine)).succeeded()


def _render_failed(watch: Watch, failure: RenderFailedError) -> None:
    claim = watch.claim
    if failure.unavailable:
        logger.error("The engine cannot work: %s", failure.detail)
        _put_back(watch, ENGINE_UNAVAILABLE, breaker(name_of(claim.engine)))
    elif failure.retryable and disk_is_full():
        _put_back(watch, DISK_FULL)
    else:
        logger.warning("The item failed: %s", failure.code)
        tracing.note(failed=failure.code)
        verdict = Verdict(failure.code, failure.detail, failure.retryable, failure.params)
        surely(claim, lambda: attempts.fail(claim, verdict))


def _put_back(watch: Watch, code: str, breaker: Pause = pause) -> None:
    """Give the item back untouched and take no others while the trouble lasts."""
    breaker.begin(code)
    tracing.note(failed=code)
    surely(watch.claim, lambda: attempts.release(watch.claim))


def _fail_internally(watch: Watch, error: Exception) -> None:
    claim = watch.claim
    logger.error("The attempt failed", exc_info=error)
    tracing.note(failed="internal_error")
    verdict = Verdict("internal_error", retryable=True)
    surely(claim, lambda: attempts.fail(claim, verdict))


def _render_and_store(watch: Watch, sources: Sources, folder: Path, slot: Slot) -> None:
    began = time.monotonic()
    with ExitStack() as held:
        with tracing.span("fetch"):
            try:
                portrait, audio = held.enter_context(local_sources(sources, folder))
            except FileNotFoundError as error:
                raise RenderFailedError("source_missing", retryable=False) from error
        threads = held.enter_context(_cores.taken())
        spec = RenderSpec(
            portrait=portrait,
            audio=audio,
            output=folder / "video.mp4",
            poster=folder / "poster.jpg",
            prompt=sources.prompt,
            seed=watch.claim.item_id.int % 2**31,
            threads=settings.RENDER_THREADS or threads,
            cache_dir=_cache_folder(),
            options={**settings.ENGINE_OPTIONS, "aigc_produce_id": str(watch.claim.item_id)},
        )
        engine = name_of(watch.claim.engine)
        with tracing.span("render", zhiying__engine=engine):
            result = slot.renderer(engine).render(spec, watch)
    rendered_s = time.monotonic() - began
    count_render(watch.claim, rendered_s)
    with tracing.span("store"):
        shown = store_result(watch.claim, spec, result)
    if not shown:
        counters.attempt_ended(watch.claim.engine, Outcome.DISCARDED)
    else:
        forecast.record_speed(engine, render_s=rendered_s, audio_s=result.duration_s)


def _cache_folder() -> Path:
    folder: Path = settings.WORK_DIR / scratch.CACHE_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder
