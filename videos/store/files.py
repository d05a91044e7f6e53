"""Files of the store: saved, fetched, streamed and listed, alike on disk and on S3."""

import logging
import math
import os
import time
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from django.core.files.storage import default_storage

from videos.store.backends import (
    STORE_ERRORS,
    Bucket,
    bucket,
    chunks_of,
    disk_path,
    is_missing,
    is_remote,
)
from videos.store.keys import content_type

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

CHUNK_BYTES = 256 * 1024
FETCH_DEADLINE_S = 600.0
"""How long one file may take to arrive from the store, however slowly it comes."""
FETCHES_AT_ONCE = 5
"""Of several files; a client of S3 keeps ten connections."""
RESUMPTIONS = 3
"""How often a stream that breaks off is taken up again where it stopped."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredFile:
    """A file as the store lists it."""

    key: str
    size: int
    changed_at: datetime


@dataclass(frozen=True)
class StoredKey:
    """A file that lies in the store already, as the source of a copy; `size` in bytes."""

    key: str
    size: int


FileSource = Path | StoredKey
"""What a file of ours is made of: one on this machine, or a copy of another stored one."""


class SourceGoneError(Exception):
    """What was to be copied is not stored any more."""


def put_file(source: FileSource, key: str) -> int:
    """Store a file under exactly this key; returns its size in bytes.

    Raises:
        SourceGoneError: only of a copy.
    """
    if isinstance(source, Path):
        return save_file(source, key)
    _copy_remotely(source.key, key) if is_remote() else _copy_on_disk(source.key, key)
    return source.size


def size_of(source: FileSource) -> int:
    """Bytes."""
    return source.stat().st_size if isinstance(source, Path) else source.size


def _copy_remotely(source: str, key: str) -> None:
    """Within the store: no byte comes here."""
    store = bucket()
    origin: CopySourceTypeDef = {"Bucket": store.name, "Key": store.name_of(source)}
    try:
        store.client.copy_object(Bucket=store.name, Key=store.name_of(key), CopySource=origin)
    except ClientError as error:
        if is_missing(error):
            raise SourceGoneError(source) from error
        raise


def _copy_on_disk(source: str, key: str) -> None:
    """Files are never written twice, so two names of one file are as good as two files."""
    target = disk_path(key)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(disk_path(source), target)
    except FileNotFoundError as error:
        raise SourceGoneError(source) from error
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        save_file(disk_path(source), key)
        return
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save_file(path: Path, key: str) -> int:
    """Store a local file under exactly this key; returns its size in bytes."""
    with path.open("rb") as stream:
        file = File(stream, name=path.name)
        file.content_type = content_type(key)  # type: ignore[attr-defined]  # read by django-storages
        stored = default_storage.save(key, file)
        size = os.fstat(stream.fileno()).st_size
    if stored != key:
        default_storage.delete(stored)
        raise FileExistsError(key)
    return size


@contextmanager
def local_copy(key: str, cache: Path) -> Iterator[Path]:
    """A readable local path of a stored file; remote files are fetched into `cache` meanwhile.

    Raises:
        FileNotFoundError: it is not stored. TimeoutError: it came too slowly.
    """
    if not is_remote():
        path = disk_path(key)
        if not path.is_file():
            raise FileNotFoundError(key)
        yield path
        return
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache) as folder:
        path = Path(folder) / Path(key).name
        _fetch(key, path, bucket(), time.monotonic() + FETCH_DEADLINE_S)
        yield path


@contextmanager
def local_copies(
    sources: Collection[FileSource], cache: Path, within_s: float
) -> Iterator[dict[FileSource, Path]]:
    """Readable local paths of several files; of one that cannot be had within `within_s` there is none.

    Remote files are fetched into `cache` meanwhile, several at once. Nobody waits longer: what hangs is left
    to the client's own deadlines.
    """
    here: dict[FileSource, Path] = {source: source for source in sources if isinstance(source, Path)}
    keys = [source for source in sources if isinstance(source, StoredKey)]
    if not is_remote() or not keys:
        there = {source: disk_path(source.key) for source in keys}
        yield {**here, **{source: path for source, path in there.items() if path.is_file()}}
        return
    store, ends_at = bucket(), time.monotonic() + within_s  # its client is good for threads
    # What is still being fetched at the end finds the folder gone.
    with TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as folder:
        paths = {source: Path(folder) / str(number) for number, source in enumerate(keys)}
        pool = ThreadPoolExecutor(FETCHES_AT_ONCE, thread_name_prefix="fetch")
        fetches = {
            source: pool.submit(_fetch, source.key, path, store, ends_at) for source, path in paths.items()
        }
        wait(fetches.values(), timeout=within_s)
        pool.shutdown(wait=False, cancel_futures=True)
        lost = {source: why for source, fetch in fetches.items() if (why := _why_not(fetch))}
        if lost:
            why = next(iter(lost.values()))
            logger.warning("%d of %d files did not come from the store: %s", len(lost), len(keys), why)
        yield {**here, **{source: path for source, path in paths.items() if source not in lost}}


def _why_not(fetch: "Future[None]") -> str:
    """Why a file has not come; empty when it has. What is nobody's outage is raised."""
    if fetch.cancelled() or not fetch.done():
        return "not in time"
    error = fetch.exception()
    if error is None:
        return ""
    if isinstance(error, STORE_ERRORS):
        return str(error)
    raise error


def _fetch(key: str, path: Path, store: Bucket, ends_at: float) -> None:
    """Fetch a remote file; raises TimeoutError where it has not come by `ends_at`."""
    with path.open("wb") as target:
        for chunk in _remote_chunks(key, store, ends_at):
            target.write(chunk)


def chunks(key: str) -> Iterator[bytes]:
    """A file's bytes as they come; a connection to S3 that breaks or drips is taken up again.

    Raises:
        FileNotFoundError: at the first chunk, when it is not stored.
    """
    if is_remote():
        yield from _remote_chunks(key, bucket())
        return
    with disk_path(key).open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def _remote_chunks(key: str, store: Bucket, ends_at: float = math.inf) -> Iterator[bytes]:
    passed, left = 0, RESUMPTIONS
    while True:
        if time.monotonic() > ends_at:  # what breaks off is asked for again
            raise TimeoutError(f"{key} did not come in time")
        wanted: dict[str, Any] = {"Range": f"bytes={passed}-"} if passed else {}
        try:
            answer = store.client.get_object(Bucket=store.name, Key=store.name_of(key), **wanted)
            size = passed + answer["ContentLength"]
            with closing(answer["Body"]) as body:
                for chunk in chunks_of(body, CHUNK_BYTES, ends_at):
                    passed += len(chunk)
                    yield chunk
        except ClientError as error:
            if is_missing(error):
                raise FileNotFoundError(key) from error
            raise
        except (BotoCoreError, OSError):
            if not left:
                raise
            left -= 1
            continue
        if passed == size:
            return
        if not left:
            raise ConnectionError(f"{key} broke off after {passed} of {size} bytes")
        left -= 1


def stored_files(prefix: str) -> Iterator[StoredFile]:
    """Everything below a prefix (empty, or with a slash at its end), as it is read from the store."""
    if not is_remote():
        root = disk_path("")
        yield from _files_on_disk(root / prefix if prefix else root, root)
        return
    store = bucket()
    pages = store.client.get_paginator("list_objects_v2").paginate(
        Bucket=store.name, Prefix=store.name_of(prefix)
    )
    for page in pages:
        for entry in page.get("Contents", []):
            yield StoredFile(store.key_of(entry["Key"]), entry["Size"], entry["LastModified"])


def _files_on_disk(folder: Path, root: Path) -> Iterator[StoredFile]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_on_disk(Path(entry.path), root)
            continue
        try:
            facts = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # removed in the meantime
            continue
        changed_at = datetime.fromtimestamp(facts.st_mtime, tz=UTC)
        yield StoredFile(Path(entry.path).relative_to(root).as_posix(), facts.st_size, changed_at)


def result_sizes(prefix: str) -> dict[str, int]:
    """Size by key of what lies below a prefix: one call for a batch, instead of one for each of its files."""
    return {file.key: file.size for file in stored_files(prefix)}
