"""Files are removed here and nowhere else, many with one call. What is gone already is fine.

Nothing is removed that does not belong to one batch or one upload: whatever a row of the list says, a path
such as "batches/" is refused.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice

from videos.store.backends import bucket, disk_path, is_remote
from videos.store.files import stored_files
from videos.store.keys import owner_of

DELETE_AT_ONCE = 1000
"""Most keys that one DeleteObjects call takes."""


class NotRemovableError(ValueError):
    """The path is not that of one batch's or one upload's files."""


def keys_below(path: str, limit: int) -> list[str]:
    """The keys that a path stands for: itself, or when it ends with a slash up to `limit` below it."""
    _require_owner(path)
    if not path.endswith("/"):
        return [path]
    return [file.key for file in islice(stored_files(path), limit)]


def remove(keys: Collection[str]) -> set[str]:
    """Remove files; returns those that the store did not let go.

    Raises:
        NotRemovableError: before anything is removed.
    """
    for key in keys:
        _require_owner(key)
    return _remove_remotely(list(keys)) if is_remote() else _remove_from_disk(keys)


def _require_owner(path: str) -> None:
    if owner_of(path) is None or ".." in path.split("/"):
        raise NotRemovableError(path)


def _remove_remotely(keys: list[str]) -> set[str]:
    store = bucket()
    failed: set[str] = set()
    for some in _slices(keys, DELETE_AT_ONCE):
        answer = store.client.delete_objects(
            Bucket=store.name,
            Delete={"Objects": [{"Key": store.name_of(key)} for key in some], "Quiet": True},
        )
        errors = answer.get("Errors", [])
        failed |= {store.key_of(error["Key"]) for error in errors if error.get("Code") != "NoSuchKey"}
    return failed


def _slices(keys: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def _remove_from_disk(keys: Collection[str]) -> set[str]:
    failed: set[str] = set()
    for key in keys:
        try:
            disk_path(key).unlink(missing_ok=True)
        except OSError:
            failed.add(key)
    return failed


def remove_empty_folders(prefix: str) -> None:
    """What is left on disk of a prefix whose files are gone.

    Only of a whole batch: in one that lives, a folder that is empty now may be about to be used.
    """
    _require_owner(prefix)
    if is_remote():
        return
    folder = disk_path(prefix)
    below = sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True)
    for path in [*below, folder]:
        with suppress(OSError):  # one that is not empty stays
            path.rmdir()
