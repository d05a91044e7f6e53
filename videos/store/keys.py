"""Keys: how stored files are named, and how to tell from a name whose it is."""

from pathlib import PurePosixPath
from uuid import UUID

BATCHES = "batches"
UPLOADS = "uploads"
"""Prefix of raw uploads in the store."""

CONTENT_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4", ".wav": "audio/wav"}
"""Everything we store; nothing is ever served under another type."""


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


def result_key(batch_id: UUID, item_id: UUID, attempt: int, suffix: str) -> str:
    """Attempt-specific, so that a late worker can never overwrite a result."""
    return f"{BATCHES}/{batch_id}/result/{item_id}-{attempt}{suffix}"


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
