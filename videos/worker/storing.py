"""A finished video goes into the store, and its item shows it."""

from engines.base import RenderResult, RenderSpec
from videos.models import DeletionReason
from videos.services import attempts
from videos.services.attempts import Claim, StoredResult
from videos.store import deletions, files, keys
from videos.worker.trouble import using_the_store
from videos.worker.verdicts import surely


def store_result(claim: Claim, spec: RenderSpec, result: RenderResult, *, engine: str = "") -> bool | None:
    """Store the files under keys of their own; the item points to them last.

    False: thrown away, because nobody wants it any more; None: because the database was away.
    """
    video, poster = keys.result_keys(claim.batch_id, claim.item_id, claim.attempt)
    has_poster = spec.poster is not None and spec.poster.exists()
    intent = deletions.intend([video, poster] if has_poster else [video], DeletionReason.ATTEMPT)
    shown: bool | None = False
    try:
        with using_the_store():
            video_bytes = files.save_file(spec.output, video)
            poster_bytes = files.save_file(spec.poster, poster) if has_poster and spec.poster else 0
        found = StoredResult(
            video=video,
            poster=poster if has_poster else "",
            duration_s=result.duration_s,
            video_bytes=video_bytes,
            poster_bytes=poster_bytes,
            width=result.width or None,
            height=result.height or None,
            notes=result.notes,
            made_by=engine,
        )
        # The answer to a commit can be lost: then the second try finds the item finished by the first.
        shown = surely(
            claim, lambda: attempts.complete(claim, found, intent) or attempts.is_shown(claim, video)
        )
    finally:
        if not shown:
            deletions.give_up(intent)
    return shown
