"""What the engine needs of a recording, computed once per recording rather than once per video.

The viseme track and the AAC stream depend on the recording alone. They are kept in a folder under the
hash of the recording's content, so that the items of a batch pay for them once; a lock per recording lets
only one process compute them, and files appear under their names only when whole.
"""

import functools
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock
from filelock import Timeout as LockTimeout

from engines.base import Cancelled, Progress, RenderCancelled
from engines.portrait.speech import WEIGHTS, analyse
from engines.portrait.speech.track import VisemeTrack
from engines.portrait.video.audio import Stopped, read_speech, write_sound
from engines.portrait.video.rate import FPS

CACHE_VERSION = "6"
"""Part of the cache's keys; raised when what is cached changes for another reason than new weights."""
POLL_S = 0.1
"""How often locks, progress and cancellation are looked at."""
HALF_DONE_S = 1.0
"""The length of the analysis is not known beforehand; progress shows half of it after this time."""


@dataclass(frozen=True)
class PreparedAudio:
    """The viseme `track` and the path of an MP4 that holds the recording as AAC; `key` names the content."""

    track: VisemeTrack
    sound: Path
    key: str


T = TypeVar("T")


class AudioPreparation:
    """Prepares a recording on a thread of its own, while the portrait is looked at.

    Use as a context manager; without a `cache_dir` the work lies in a temporary folder that goes away
    with the context.
    """

    def __init__(self, source: Path, cache_dir: Path | None) -> None:
        self._source, self._cache_dir = source, cache_dir
        self._stop = threading.Event()

    def __enter__(self) -> "AudioPreparation":
        if self._cache_dir is None:
            self._folder = Path(tempfile.mkdtemp(prefix="portrait-"))
        else:
            self._folder = self._cache_dir
            self._folder.mkdir(parents=True, exist_ok=True)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="portrait-audio")
        self._future: Future[PreparedAudio] = self._pool.submit(
            _prepare, self._source, self._folder, self._stop.is_set
        )
        return self

    def follow(self, work: Callable[[PreparedAudio], T]) -> Future[T]:
        """Have `work` done with the recording as soon as it is there, on the same thread."""
        return self._pool.submit(lambda: work(self._future.result()))

    def result(self, progress: Progress, cancelled: Cancelled) -> PreparedAudio:
        """Wait for the recording; `progress` gets an estimate 0..1.

        Raises `UnusableAudioError` and `RenderCancelled`.
        """
        started = time.monotonic()
        while True:
            if cancelled():
                raise RenderCancelled
            try:
                return self._future.result(timeout=POLL_S)
            except FutureTimeout:
                elapsed = time.monotonic() - started
                progress(elapsed / (elapsed + HALF_DONE_S))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown(wait=kind is None, cancel_futures=True)
        if self._cache_dir is None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _prepare(source: Path, folder: Path, stopped: Stopped) -> PreparedAudio:
    key = _content_key(source)
    sound, visemes = folder / f"{key}.sound.mp4", folder / f"{key}.visemes.npz"
    ready = _load(key, sound, visemes)
    if ready is not None:
        return ready
    lock = FileLock(folder / f"{key}.lock")
    while True:
        if stopped():
            raise RenderCancelled
        try:
            lock.acquire(timeout=POLL_S)
            break
        except LockTimeout:
            continue
    try:
        ready = _load(key, sound, visemes)  # another process may have finished it meanwhile
        return ready or _compute(key, source, sound, visemes, stopped)
    finally:
        lock.release()


def _content_key(source: Path) -> str:
    with source.open("rb") as file:  # what goes wrong here is the disk's, and says nothing of the recording
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{digest[:40]}-{_analysis_version()}"


@functools.cache
def _analysis_version() -> str:
    """What the lips depend on besides the recording: a track that other weights made is not used again."""
    digest = hashlib.sha256(CACHE_VERSION.encode())
    for path in WEIGHTS:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _load(key: str, sound: Path, visemes: Path) -> PreparedAudio | None:
    if not sound.exists():
        return None
    try:
        return PreparedAudio(VisemeTrack.load(visemes), sound, key)
    except (OSError, ValueError, KeyError):
        return None


def _compute(key: str, source: Path, sound: Path, visemes: Path, stopped: Stopped) -> PreparedAudio:
    parts = [path.with_name(f"{path.name}.{os.getpid()}.part") for path in (sound, visemes)]
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="portrait-sound") as aside:
            encoding = aside.submit(write_sound, source, parts[0], stopped)
            track = analyse(read_speech(source, stopped), FPS)
            encoding.result()
        with parts[1].open("wb") as file:
            track.save(file)
        parts[1].replace(visemes)
        parts[0].replace(sound)  # last: its presence says that both are there
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return PreparedAudio(track, sound, key)
