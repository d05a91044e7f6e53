"""Names for types that Django's stubs make generic."""

from typing import TYPE_CHECKING

from django.core.files.uploadedfile import UploadedFile

if TYPE_CHECKING:
    Upload = UploadedFile[bytes]
else:  # not subscriptable at run time
    Upload = UploadedFile
