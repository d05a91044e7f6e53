"""Files that clients send straight to the store, in parts, ahead of the batch they are for.

Disk and S3 do it alike: a part is a PUT to a signed URL and can be sent again by itself; the store says
which parts are there; sealing makes one unchangeable file of them; reading gives the sealed bytes or fails.
"""

from videos.store.backends import is_remote
from videos.store.direct_uploads.base import UploadChangedError, UploadStore
from videos.store.direct_uploads.disk import DiskUploads
from videos.store.direct_uploads.s3 import S3Uploads

__all__ = ["UploadChangedError", "UploadStore", "upload_store"]


def upload_store() -> UploadStore:
    """Where this installation's clients send files."""
    return S3Uploads() if is_remote() else DiskUploads()
