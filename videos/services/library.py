"""A user's library: the portraits and recordings of their earlier batches, to be used again.

It has no rows of its own. What a batch keeps is in it, and leaves it with the batch, the video or the
retention period. Clients name a portrait `item:<id>` and a recording `batch:<id>`, in the places of keys of
uploads; the new batch gets copies of its own, so that neither batch needs the other's.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from videos.media.problems import MediaProblem
from videos.models import Batch, VideoItem
from videos.services import selectors
from videos.services.earlier import (
    StoredPortrait,
    StoredRecording,
    require_portrait_limits,
    require_recording_limits,
)
from videos.services.intake import SubmittedFile, clean_name
from videos.store.files import StoredKey, stored_files
from videos.store.keys import batch_prefix

PORTRAIT = "item:"
RECORDING = "batch:"


def is_reference(key: str) -> bool:
    """Whether a submission's entry names a stored file, and not an upload."""
    return key.startswith((PORTRAIT, RECORDING))


def batches_with_files(user: User, search: str = "") -> "QuerySet[Batch]":
    """The user's batches that keep their files, by a part of a name or all."""
    return selectors.batches_listed({"user": user.pk, "search": search}).filter(files_removed_at=None)


def portraits_of(batch_ids: Sequence[UUID]) -> Mapping[UUID, list[VideoItem]]:
    """The items of each batch in order of position."""
    grouped: dict[UUID, list[VideoItem]] = {batch_id: [] for batch_id in batch_ids}
    for item in VideoItem.objects.filter(batch_id__in=batch_ids).order_by("batch_id", "position"):
        grouped[item.batch_id].append(item)
    return grouped


def portraits(user: User, references: Sequence[str]) -> list[SubmittedFile]:
    """The user's stored portraits by reference, in order; those that are not theirs, or gone, as problems."""
    ids = _ids(references, PORTRAIT)
    items = VideoItem.objects.filter(batch__user=user, batch__files_removed_at=None).in_bulk(
        list(set(ids.values()))
    )
    sizes = _sizes(item.batch_id for item in items.values())
    return [_portrait(reference, items.get(ids.get(reference)), sizes) for reference in references]


def recordings(user: User, references: Sequence[str]) -> list[SubmittedFile]:
    """As `portraits`, for recordings."""
    ids = _ids(references, RECORDING)
    batches = Batch.objects.filter(user=user, files_removed_at=None).in_bulk(list(set(ids.values())))
    sizes = _sizes(batches)
    return [_recording(reference, batches.get(ids.get(reference)), sizes) for reference in references]


def _ids(references: Iterable[str], kind: str) -> dict[str, UUID]:
    ids = {}
    for reference in references:
        try:
            ids[reference] = UUID(reference.removeprefix(kind)) if reference.startswith(kind) else UUID("")
        except ValueError:
            continue
    return ids


def _sizes(batch_ids: Iterable[UUID]) -> dict[str, int]:
    """Size by key of all that these batches have in the store, by one listing of each."""
    prefixes = [batch_prefix(batch_id) for batch_id in set(batch_ids)]
    return {file.key: file.size for prefix in prefixes for file in stored_files(prefix)}


def _portrait(reference: str, item: VideoItem | None, sizes: Mapping[str, int]) -> SubmittedFile:
    if item is None or item.source_image not in sizes or item.thumbnail not in sizes:
        name = item.original_name if item else clean_name(reference)
        return SubmittedFile(name, MediaProblem("stored_gone"))
    portrait = StoredPortrait(
        StoredKey(item.source_image, sizes[item.source_image]),
        StoredKey(item.thumbnail, sizes[item.thumbnail]),
        item.width,
        item.height,
    )
    try:
        require_portrait_limits(portrait)
    except MediaProblem as problem:
        return SubmittedFile(item.original_name, problem)
    return SubmittedFile(item.original_name, portrait)


def _recording(reference: str, batch: Batch | None, sizes: Mapping[str, int]) -> SubmittedFile:
    if batch is None or batch.audio not in sizes:
        return SubmittedFile(
            batch.audio_name if batch else clean_name(reference), MediaProblem("stored_gone")
        )
    recording = StoredRecording(StoredKey(batch.audio, sizes[batch.audio]), batch.audio_duration_s)
    try:
        require_recording_limits(recording)
    except MediaProblem as problem:
        return SubmittedFile(batch.audio_name, problem)
    return SubmittedFile(batch.audio_name, recording)
