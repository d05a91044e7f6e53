"""Direct uploads to S3: one presigned PUT for a small file, a multipart upload for a larger one.

The signatures cover the length of every part. A small file stays writable until its URL expires, which
is why its ETag is kept when it is sealed and demanded when it is read.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from django.core.files.storage import storages

from videos.models import Upload
from videos.store import files, removal
from videos.store.backends import bucket, chunks_of
from videos.store.direct_uploads.base import UploadChangedError
from videos.store.keys import upload_key

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, PartTypeDef

URL_LIFETIME_S = 3600

_GONE = {"404", "NoSuchKey", "NoSuchUpload", "NotFound"}
_CHANGED = {"412", "PreconditionFailed"} | _GONE


class S3Uploads:
    """Raw uploads are objects below `uploads/` in the bucket."""

    def __init__(self) -> None:
        self._store = bucket()
        self._bucket, self._client = self._store.name, self._store.client

    def begin(self, upload: Upload) -> str:
        if upload.part_count == 1:
            return ""
        answer = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=self._key(upload), ContentType=upload.content_type
        )
        return answer["UploadId"]

    def part_urls(self, upload: Upload, origin: str) -> list[str]:
        public: Any = storages["public"]
        client: S3Client = public.connection.meta.client
        common: dict[str, Any] = {"Bucket": self._bucket, "Key": self._key(upload)}
        if upload.part_count == 1:
            call = "put_object"
            parts = [{"ContentLength": upload.size, "ContentType": upload.content_type}]
        else:
            call = "upload_part"
            parts = [
                {
                    "UploadId": upload.store_id,
                    "PartNumber": number,
                    "ContentLength": upload.part_bytes(number),
                }
                for number in range(1, upload.part_count + 1)
            ]
        return [
            client.generate_presigned_url(call, Params={**common, **part}, ExpiresIn=URL_LIFETIME_S)
            for part in parts
        ]

    def urls_expire_at(self, upload: Upload) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=URL_LIFETIME_S)

    def received(self, upload: Upload) -> set[int]:
        if upload.part_count == 1 or (parts := self._parts(upload)) is None:
            # Without parts it is whole or not there; a multipart upload may have been completed already.
            return set(range(1, upload.part_count + 1)) if self._whole(upload) else set()
        return {part["PartNumber"] for part in parts}

    def seal(self, upload: Upload) -> str | None:
        if upload.part_count == 1:
            return self._whole(upload)
        parts = self._parts(upload)
        if parts is None:
            return self._whole(upload)
        if len(parts) < upload.part_count:
            return None
        named: list[CompletedPartTypeDef] = [
            {"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts
        ]
        try:
            answer = self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key(upload),
                UploadId=upload.store_id,
                MultipartUpload={"Parts": named},
            )
        except ClientError as error:
            if _code(error) in _GONE:  # somebody else completed it in the meantime
                return self._whole(upload)
            raise
        return answer["ETag"]

    def read_into(self, upload: Upload, target: IO[bytes]) -> None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(upload), IfMatch=upload.seal)
        except ClientError as error:
            if _code(error) in _CHANGED:
                raise UploadChangedError(upload.pk) from error
            raise
        with closing(answer["Body"]) as body:
            if answer["ContentLength"] != upload.size or answer["ETag"] != upload.seal:
                raise UploadChangedError(upload.pk)
            for chunk in chunks_of(body, files.CHUNK_BYTES, time.monotonic() + files.FETCH_DEADLINE_S):
                target.write(chunk)

    def discard(self, uploads: Sequence[Upload]) -> None:
        for upload in uploads:
            if upload.seal:
                continue
            if upload.store_id:
                self._abort(self._key(upload), upload.store_id)
            elif upload.part_count > 1:
                self._abort_unknown(self._key(upload))
        removal.remove([upload_key(upload.pk) for upload in uploads])

    def _abort(self, key: str, store_id: str) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=store_id)
        except ClientError as error:
            if _code(error) not in _GONE:
                raise

    def _abort_unknown(self, key: str) -> None:
        """The process ended between beginning an upload in parts and writing its id down."""
        answer = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=key)
        for entry in answer.get("Uploads", []):
            if entry["Key"] == key:
                self._abort(key, entry["UploadId"])

    def _parts(self, upload: Upload) -> "list[PartTypeDef] | None":
        """The parts that have the announced size, in order; None when no such multipart upload is open."""
        try:
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self._bucket, Key=self._key(upload), UploadId=upload.store_id
            )
            parts = [part for page in pages for part in page.get("Parts", [])]
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise
        whole = [
            part
            for part in parts
            if 1 <= part["PartNumber"] <= upload.part_count
            and part["Size"] == upload.part_bytes(part["PartNumber"])
        ]
        return sorted(whole, key=lambda part: part["PartNumber"])

    def _whole(self, upload: Upload) -> str | None:
        """The ETag of the whole object; None while there is none of the announced size."""
        try:
            answer = self._client.head_object(Bucket=self._bucket, Key=self._key(upload))
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise
        return answer["ETag"] if answer["ContentLength"] == upload.size else None

    def _key(self, upload: Upload) -> str:
        return self._store.name_of(upload_key(upload.pk))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
