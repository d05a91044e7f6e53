"""Keys: how stored files are named, and how to tell from a name whose it is."""

import secrets
from pathlib import PurePosixPath
from uuid import UUID

BATCHES = "batches"
UPLOADS = "uploads"
"""Prefix of raw uploads in the store."""

CONTENT_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4", ".wav": "audio/wav"}
"""Everything we store; nothing is ever served under another type."""
_STORING_BYTES = 8


def batch_prefix(batch_id: UUID) -> str:
    """Everything below it belongs to the batch."""
    return f"{BATCHES}/{batch_id}/"


def source_key(batch_id: UUID, item_id: UUID, run: int = 1) -> str:
    return f"{BATCHES}/{batch_id}/source/{item_id}-{run}.jpg"


def thumbnail_key(batch_id: UUID, item_id: UUID, run: int = 1) -> str:
    return f"{BATCHES}/{batch_id}/thumbnail/{item_id}-{run}.jpg"


def audio_key(batch_id: UUID) -> str:
    return f"{BATCHES}/{batch_id}/audio.wav"


def result_prefix(batch_id: UUID) -> str:
    return f"{BATCHES}/{batch_id}/result/"


def result_keys(batch_id: UUID, item_id: UUID, attempt: int) -> tuple[str, str]:
    """Those of a video and its poster, others with each call.

    With the attempt alone a result that is fetched a second time would lie where the first is being removed,
    and go with it.
    """
    stem = f"{result_prefix(batch_id)}{item_id}-{attempt}-{secrets.token_hex(_STORING_BYTES)}"
    return f"{stem}.mp4", f"{stem}.jpg"


def upload_key(upload_id: UUID) -> str:
    return f"{UPLOADS}/{upload_id}"


def content_type(key: str) -> str:
    return CONTENT_TYPES.get(PurePosixPath(key).suffix, "application/octet-stream")


def owner_of(path: str) -> tuple[str, UUID] | None:
    """`BATCHES` or `UPLOADS`, and the id of the row that a key or prefix belongs to; None if to no row."""
    kind, _, rest = path.partition("/")
    name = rest.partition("/")[0]
    if kind not in (BATCHES, UPLOADS):
        return None
    try:
        owner = UUID(name.removesuffix(".sealed"))
    except ValueError:
        return None
    return (kind, owner) if name.startswith(str(owner)) else None
