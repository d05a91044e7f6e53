"""The two kinds of store: a folder on disk, and a private S3 bucket or a part of one."""

import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage, storages
from storages.backends.s3 import S3Storage
from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.client import S3Client

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
CALL_ATTEMPTS = 3
"""A call to S3 that gets no answer ends after about `CALL_ATTEMPTS` times both."""
CHUNK_DEADLINE_S = 120.0
"""How long a chunk may take to arrive: a connection on which bytes drip is as good as one that is broken."""

STORE_ERRORS = (OSError, BotoCoreError, ClientError)
"""What a store raises that cannot do what it is asked."""

_GONE = {"404", "NoSuchKey", "NotFound"}


class DiskMediaStorage(FileSystemStorage):
    """A folder. What was saved is on the disk itself: a row that points to it survives a power failure."""

    def _save(self, name: str, content: Any) -> str:
        saved: str = super()._save(name, content)  # type: ignore[misc]  # not in the stubs
        path = Path(self.path(saved))
        for place in (path, path.parent):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return saved


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
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"max_attempts": CALL_ATTEMPTS, "mode": "standard"},
            ),
        }


@dataclass(frozen=True)
class Bucket:
    """The bucket as boto3 sees it: our keys lie there below a prefix."""

    client: "S3Client"
    name: str
    prefix: str
    """Empty, or with a slash at its end."""

    def name_of(self, key: str) -> str:
        """What the bucket calls one of our keys."""
        return self.prefix + key

    def key_of(self, name: str) -> str:
        return name.removeprefix(self.prefix)


def is_remote() -> bool:
    """Whether clients are sent to the storage itself for the bytes."""
    return bool(settings.S3_BUCKET)


def bucket() -> Bucket:
    """Only where `is_remote`."""
    storage = cast("Any", default_storage)  # an S3MediaStorage, whose base has no types
    prefix = str(storage._normalize_name("x"))[:-1]
    return Bucket(storage.connection.meta.client, str(storage.bucket_name), prefix)


def disk_path(key: str) -> Path:
    """Where a file lies on this machine; only where not `is_remote`."""
    return Path(default_storage.path(key))


def is_missing(error: ClientError) -> bool:
    """Whether S3 says that there is no such file."""
    return str(error.response.get("Error", {}).get("Code", "")) in _GONE


def chunks_of(body: "StreamingBody", size: int, ends_at: float = math.inf) -> Iterator[bytes]:
    """The bytes of an answer, `size` at once; all of them until `ends_at`.

    The body's own `read` returns when it has all that was asked for, and every byte gives it another
    `READ_TIMEOUT_S`: so what has come is taken as it comes, with a look at the clock.

    Raises:
        TimeoutError: they came too slowly. ConnectionError: the answer broke off.
    """
    stream: Any = cast("Any", body)._raw_stream
    chunk, late_at = b"", min(ends_at, time.monotonic() + CHUNK_DEADLINE_S)
    while piece := _read_some(stream, size - len(chunk)):
        chunk += piece
        if time.monotonic() > late_at:
            raise TimeoutError("the store sends too slowly")
        if len(chunk) == size:
            yield chunk
            chunk, late_at = b"", min(ends_at, time.monotonic() + CHUNK_DEADLINE_S)
    if chunk:
        yield chunk


def _read_some(stream: Any, most: int) -> bytes:
    try:
        return bytes(stream.read1(most))
    except HTTPError as error:
        raise ConnectionError(str(error)) from error


def presigned_url(key: str, *, expire_s: int, parameters: dict[str, str]) -> str:
    """A URL at which browsers read the file from the storage itself; only where `is_remote`."""
    public: Any = storages["public"]
    return str(public.url(key, parameters=parameters, expire=expire_s))
