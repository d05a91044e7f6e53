"""How uploaded files reach the disk: in chunks, each no larger than allowed."""

import tempfile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

from videos.store import scratch
from zhiying.kernel.types import Upload

AUDIO_FIELD = "audio"


class ScratchFile(TemporaryUploadedFile):
    """An uploaded file in this process's scratch folder, which goes with the process."""

    def __init__(self, name: str, *facts: Any) -> None:
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=scratch.own_folder())  # noqa: SIM115
        UploadedFile.__init__(self, file, name, *facts)


class BoundedTemporaryFileUploadHandler(TemporaryFileUploadHandler):
    """Streams every file to a temporary file and stops keeping what exceeds its limit.

    A file over the limit is kept with `oversized=True` and the bytes up to the limit, so that intake can
    name it among the other problems instead of breaking the connection.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = ScratchFile(
            str(self.file_name), self.content_type, 0, self.charset, self.content_type_extra
        )
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
