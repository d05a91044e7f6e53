"""One item from claim to verdict."""

import logging
import os
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from engines.base import RenderResult, RenderSpec
from engines.cores import available_cores
from videos.models import VideoItem
from videos.scheduling.claims import claim_next, count_ready
from videos.scheduling.hints import wake_workers
from videos.scheduling.sweep import CACHE_FOLDER
from videos.services import attempts
from videos.services.attempts import Claim, StoredResult, Verdict
from videos.store import storage
from videos.worker.core_share import CoreShare
from videos.worker.renderer import RenderAbandonedError, Renderer, RenderFailedError, RenderLimits
from videos.worker.stopping import stopping

logger = logging.getLogger(__name__)
_local = threading.local()
_cores = CoreShare(available_cores())


def work_once() -> bool:
    """Claim and finish the item whose turn it is; says whether there was one."""
    if stopping.is_set():
        return False
    claim = claim_next(f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}")
    if claim is None:
        return False
    _finish(claim)
    if not stopping.is_set() and count_ready():
        wake_workers()
    return True


def start_renderer() -> None:
    """Start the render process of the current thread ahead of its first item."""
    _renderer().start()


def close_renderer() -> None:
    """End the render process of the current thread."""
    renderer = getattr(_local, "renderer", None)
    if renderer:
        renderer.close()
        _local.renderer = None


def _renderer() -> Renderer:
    if getattr(_local, "renderer", None) is None:
        limits = RenderLimits(
            time_s=settings.RENDER_TIME_LIMIT_S,
            memory_mb=settings.RENDER_MEMORY_LIMIT_MB,
            heartbeat_s=settings.HEARTBEAT_S,
        )
        _local.renderer = Renderer(settings.GENERATION_ENGINE, limits)
    renderer: Renderer = _local.renderer
    return renderer


def _finish(claim: Claim) -> None:
    item = VideoItem.objects.select_related("batch").filter(pk=claim.item_id).first()
    if item is None:
        return  # deleted since the claim
    try:
        with TemporaryDirectory(dir=settings.WORK_DIR, prefix="render-") as folder:
            _render_and_store(claim, item, Path(folder))
    except RenderAbandonedError:
        if stopping.is_set():
            attempts.release(claim)
    except RenderFailedError as failure:
        logger.warning("Item %s, attempt %d: %s", item.pk, claim.attempt, failure.code)
        attempts.fail(claim, Verdict(failure.code, failure.detail, failure.retryable, failure.params))
    except DatabaseError:
        raise  # nothing can be written down now; the lease runs out and the sweep takes the item back
    except Exception:
        logger.exception("Item %s, attempt %d failed", item.pk, claim.attempt)
        attempts.fail(claim, Verdict("internal_error", retryable=True))


def _render_and_store(claim: Claim, item: VideoItem, folder: Path) -> None:
    with ExitStack() as held:
        try:
            portrait = held.enter_context(storage.local_copy(item.source_image, folder))
            audio = held.enter_context(storage.local_copy(item.batch.audio, folder))
        except FileNotFoundError as error:
            raise RenderFailedError("source_missing", retryable=False) from error
        threads = held.enter_context(_cores.taken())
        spec = RenderSpec(
            portrait=portrait,
            audio=audio,
            output=folder / "video.mp4",
            poster=folder / "poster.jpg",
            prompt=item.batch.prompt,
            seed=item.pk.int % 2**31,
            threads=settings.RENDER_THREADS or threads,
            cache_dir=_cache_folder(),
            options={**settings.ENGINE_OPTIONS, "aigc_produce_id": str(item.pk)},
        )
        result = _renderer().render(spec, _Heartbeat(claim))
    _store(claim, spec, result)


def _cache_folder() -> Path:
    folder: Path = settings.WORK_DIR / CACHE_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _store(claim: Claim, spec: RenderSpec, result: RenderResult) -> None:
    """Store the files under keys of this attempt; the item points to them last."""
    video = storage.result_key(claim.batch_id, claim.item_id, claim.attempt, ".mp4")
    poster = storage.result_key(claim.batch_id, claim.item_id, claim.attempt, ".jpg")
    stored = [video]
    storage.save_file(spec.output, video)
    if spec.poster and spec.poster.exists():
        storage.save_file(spec.poster, poster)
        stored.append(poster)
    kept = attempts.complete(
        claim,
        StoredResult(
            video=video,
            poster=poster if poster in stored else "",
            duration_s=result.duration_s,
            notes=result.notes,
        ),
    )
    if not kept:
        storage.delete_files(stored)


class _Heartbeat:
    """Renews the claim's lease while the render goes on; False when the claim is lost."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._renewed_at = time.monotonic()

    def __call__(self, share: float) -> bool:
        if stopping.is_set():
            return False
        try:
            alive = attempts.heartbeat(self._claim, progress=int(share * 100))
        except DatabaseError as error:
            # A database that is away for a moment costs nothing; after the lease the item is another's.
            logger.warning("Heartbeat of item %s failed: %s", self._claim.item_id, type(error).__name__)
            close_old_connections()
            return bool(time.monotonic() - self._renewed_at < settings.LEASE_S)
        self._renewed_at = time.monotonic()
        return alive
