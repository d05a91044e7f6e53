"""How uploaded files reach the disk: in chunks, each no larger than allowed."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from zhiying.kernel.types import Upload

AUDIO_FIELD = "audio"


class BoundedTemporaryFileUploadHandler(TemporaryFileUploadHandler):
    """Streams every file to a temporary file and stops keeping what exceeds its limit.

    A file over the limit is kept with `oversized=True` and the bytes up to the limit, so that intake can
    name it among the other problems instead of breaking the connection.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._limit = settings.AUDIO_MAX_BYTES if self.field_name == AUDIO_FIELD else settings.IMAGE_MAX_BYTES
        self._kept = 0
        self._oversized = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self._kept + len(raw_data) > self._limit:
            self._oversized = True
            return None
        self._kept += len(raw_data)
        return super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> TemporaryUploadedFile:
        file: Any = super().file_complete(file_size)
        file.oversized = self._oversized
        uploaded: TemporaryUploadedFile = file
        return uploaded


def is_oversized(upload: Upload) -> bool:
    """Whether the client sent more than the limit of this kind of file."""
    return bool(getattr(upload, "oversized", False))
