"""Storage of media: keys, whole trees, and S3."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from botocore.config import Config
from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, default_storage, storages
from storages.backends.s3 import S3Storage

BATCHES = "batches"
CONTENT_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4", ".wav": "audio/wav"}
"""Everything we store; nothing is ever served under another type."""


class S3MediaStorage(S3Storage):  # type: ignore[misc]  # no types of its own
    """A private S3 bucket, signed with SigV4, for AWS and compatible servers alike."""

    def get_default_settings(self) -> dict[str, Any]:
        return {
            **super().get_default_settings(),
            "querystring_auth": True,
            "default_acl": None,
            "file_overwrite": True,  # our keys are unique by construction
            "signature_version": "s3v4",
            "addressing_style": settings.S3_ADDRESSING_STYLE,
            "client_config": Config(
                signature_version="s3v4",
                s3={"addressing_style": settings.S3_ADDRESSING_STYLE},
                # servers other than AWS reject the newer default checksums
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=5,
                read_timeout=60,
                retries={"max_attempts": 3, "mode": "standard"},
            ),
        }


def source_key(batch_id: UUID, item_id: UUID, run: int = 1) -> str:
    return f"{BATCHES}/{batch_id}/source/{item_id}-{run}.jpg"


def thumbnail_key(batch_id: UUID, item_id: UUID, run: int = 1) -> str:
    return f"{BATCHES}/{batch_id}/thumbnail/{item_id}-{run}.jpg"


def audio_key(batch_id: UUID) -> str:
    return f"{BATCHES}/{batch_id}/audio.wav"


def result_key(batch_id: UUID, item_id: UUID, attempt: int, suffix: str) -> str:
    """Attempt-specific, so that a late worker can never overwrite a result."""
    return f"{BATCHES}/{batch_id}/result/{item_id}-{attempt}{suffix}"


def content_type(key: str) -> str:
    return CONTENT_TYPES.get(Path(key).suffix, "application/octet-stream")


def save_file(path: Path, key: str) -> None:
    """Store a local file under exactly this key."""
    with path.open("rb") as stream:
        file = File(stream, name=path.name)
        file.content_type = content_type(key)  # type: ignore[attr-defined]  # read by django-storages
        stored = default_storage.save(key, file)
    if stored != key:
        default_storage.delete(stored)
        raise FileExistsError(key)


@contextmanager
def local_copy(key: str, cache: Path) -> Iterator[Path]:
    """A readable local path of a stored file; remote files are fetched into `cache` meanwhile."""
    if _is_local(default_storage):
        path = Path(default_storage.path(key))
        if not path.is_file():
            raise FileNotFoundError(key)
        yield path
        return
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache) as folder:
        path = Path(folder) / Path(key).name
        with default_storage.open(key) as source, path.open("wb") as target:
            for chunk in source.chunks():
                target.write(chunk)
        yield path


def _is_local(storage: Storage) -> bool:
    try:
        storage.path("x")
    except NotImplementedError:
        return False
    return True


def delete_tree(prefix: str) -> None:
    """Delete everything below a prefix; what is already gone is fine."""
    with suppress(FileNotFoundError):
        folders, files = default_storage.listdir(prefix)
        for name in files:
            default_storage.delete(f"{prefix}/{name}")
        for name in folders:
            delete_tree(f"{prefix}/{name}")
    if _is_local(default_storage):
        with suppress(OSError):
            Path(default_storage.path(prefix)).rmdir()


def delete_files(keys: list[str]) -> None:
    for key in keys:
        default_storage.delete(key)


def batch_folders() -> list[str]:
    """Names of all folders that hold a batch's files."""
    try:
        return default_storage.listdir(BATCHES)[0]
    except FileNotFoundError:
        return []


def newest_change(prefix: str) -> datetime | None:
    """When a file below a prefix was last written; None when there is none."""
    times: list[datetime] = []
    with suppress(FileNotFoundError):
        folders, files = default_storage.listdir(prefix)
        for name in files:
            with suppress(FileNotFoundError):
                times.append(default_storage.get_modified_time(f"{prefix}/{name}"))
        times += [time for name in folders if (time := newest_change(f"{prefix}/{name}"))]
    return max(times, default=None)


def presigned_url(key: str, *, expire_s: int, parameters: dict[str, str]) -> str:
    """A URL at which browsers read the file from the storage itself; only where `is_remote`."""
    public: Any = storages["public"]
    return str(public.url(key, parameters=parameters, expire=expire_s))


def is_remote() -> bool:
    """Whether clients are sent to the storage itself for the bytes."""
    return bool(settings.S3_BUCKET)
