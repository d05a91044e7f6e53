"""Store and database belong together: both hold the id of the installation.

A database that was set up anew, restored to another place or simply mistyped would otherwise take everything
in the store for rubbish. While the ids differ nothing is removed, and health, log and administrators say so.
"""

import logging
from enum import StrEnum
from itertools import islice
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import AuditAction
from accounts.services import audit_log
from videos.models import Batch, Installation
from videos.store.files import chunks, stored_files
from videos.store.keys import BATCHES

MARKER = "zhiying-installation"
"""The key, below S3_PREFIX, of the file that holds the id."""
BATCHES_LOOKED_FOR = 5
"""How many of the newest batches are looked for in a store that has no marker."""

logger = logging.getLogger(__name__)


class StoreProblem(StrEnum):
    """Why nothing may be removed."""

    NONE = ""
    FOREIGN = "store_of_another_installation"
    UNMARKED = "store_without_our_files"


class StoreMismatchError(Exception):
    """Store and database do not belong together; `problem` says how it was told."""

    def __init__(self, problem: StoreProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


def store_problem() -> StoreProblem:
    """Compare the ids; writes nothing. One query and one small file."""
    row, marker = Installation.objects.first(), _marker()
    if row is None and marker is None:
        return StoreProblem.NONE if _files_are_ours() else StoreProblem.UNMARKED
    if row is not None and marker is None:
        return StoreProblem.UNMARKED
    return StoreProblem.NONE if row and row.uuid == marker else StoreProblem.FOREIGN


def claim_store(*, adopt: bool = False) -> StoreProblem:
    """Write the id where it is missing and can only be ours; says what keeps them apart otherwise.

    `adopt` is an operator's word that this store belongs to this database, whatever it says; it is recorded.
    """
    row, marker = Installation.objects.first(), _marker()
    if row and row.uuid == marker:
        return StoreProblem.NONE
    problem = StoreProblem.NONE
    if marker is not None:
        problem = StoreProblem.FOREIGN
    elif not _files_are_ours():
        problem = StoreProblem.UNMARKED
    if problem and not adopt:
        return problem
    row, _made = Installation.objects.get_or_create(pk=1)
    if problem:  # recorded first: a store takes no part in transactions
        details = {"problem": problem.value}
        audit_log.record(AuditAction.STORE_ADOPT, acting_user=None, target=row, details=details)
    if marker is not None:
        default_storage.delete(MARKER)
    default_storage.save(MARKER, ContentFile(f"{row.uuid}\n".encode()))
    logger.info("The store belongs to installation %s now", row.uuid)
    return StoreProblem.NONE


def mark_new_store() -> None:
    """Before the first file is stored: later a store without a marker would look like somebody else's."""
    if not Installation.objects.exists():
        claim_store()


def require_own_store() -> None:
    """Raises:
    StoreMismatchError: nothing may be removed from this store.
    """
    if problem := claim_store():
        raise StoreMismatchError(problem)


def _marker() -> UUID | None:
    """The id in the store; None where there is none. One that cannot be read is somebody else's."""
    try:
        content = b"".join(islice(chunks(MARKER), 1))
    except FileNotFoundError:
        return None
    try:
        return UUID(content.decode().strip())
    except ValueError:
        return UUID(int=0)


def _files_are_ours() -> bool:
    """Whether a store without an id has what this database says: files of its batches, or nothing at all."""
    kept = Batch.objects.filter(files_removed_at=None).order_by("-created_at", "-id")
    keys = list(kept.values_list("audio", flat=True)[:BATCHES_LOOKED_FOR])
    if keys:
        return any(default_storage.exists(key) for key in keys)
    return next(stored_files(f"{BATCHES}/"), None) is None
