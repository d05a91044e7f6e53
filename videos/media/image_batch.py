"""Prepares the portraits of one batch in parallel and reports every bad one."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engines.cores import available_cores

from .images import DEFAULT_IMAGE_LIMITS, ImageLimits, PreparedImage, prepare_image
from .problems import MediaProblem

_MAX_THREADS = 4


@dataclass(frozen=True)
class ImageJob:
    """One upload and where its results go."""

    source: Path | BinaryIO
    portrait_out: Path
    thumbnail_out: Path


def prepare_images(
    jobs: Sequence[ImageJob], *, limits: ImageLimits = DEFAULT_IMAGE_LIMITS, threads: int | None = None
) -> Iterator[PreparedImage | MediaProblem]:
    """Yield for each job, in order, what `prepare_image` returned or the problem it raised.

    One bad file does not stop the others. Pillow decodes without the interpreter lock, so threads use all
    cores; the decodes' memory is bounded however many there are. Any other exception is trouble of our own
    and ends the iteration; so does closing it, after the decodes that already run.
    """
    count = threads or min(_MAX_THREADS, available_cores())
    pool = ThreadPoolExecutor(count, thread_name_prefix="image-intake")
    try:
        waiting: list[Future[PreparedImage | MediaProblem]] = [
            pool.submit(_attempt, job, limits) for job in jobs
        ]
        for future in waiting:
            yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _attempt(job: ImageJob, limits: ImageLimits) -> PreparedImage | MediaProblem:
    try:
        return prepare_image(
            job.source, limits=limits, portrait_out=job.portrait_out, thumbnail_out=job.thumbnail_out
        )
    except MediaProblem as problem:
        return problem
