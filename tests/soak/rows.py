"""What has to be true of rows and files when all is quiet: run with the installation's own environment.

Whatever is on the list of deletions is due at once here, so that what nobody needs is gone, or was forgotten.
"""

import os
import sys
import time
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhiying.settings")
django.setup()

from tests.support import books  # noqa: E402
from videos.models import FileDeletion  # noqa: E402
from videos.services import store_check  # noqa: E402
from videos.store import deletions  # noqa: E402
from zhiying.kernel.clock import database_now  # noqa: E402

YOUNG = timedelta(0)
REMOVED_WITHIN_S = 120.0


def main() -> int:
    """Prints what is wrong; returns the exit code."""
    found = [*_untrue_books(), *_untrue_files()]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


def _untrue_books() -> list[str]:
    found = []
    for check in (
        books.assert_books_balance,
        books.assert_runs_are_settled,
        books.assert_batches_know_what_they_cost,
        books.assert_counts_are_true,
    ):
        try:
            check()
        except AssertionError as error:
            found.append(f"{check.__name__.removeprefix('assert_')} does not hold: {error}")
    return found


def _untrue_files() -> list[str]:
    ends_at = time.monotonic() + REMOVED_WITHIN_S
    while FileDeletion.objects.update(due_at=database_now()) and time.monotonic() < ends_at:
        deletions.work_off()
    store_check.YOUNG = YOUNG
    found = [f"not removed: {entry.path}" for entry in FileDeletion.objects.all()]
    for finding in store_check.compare():
        for kind in ("orphans", "missing", "unknown"):
            found += [f"{kind}: {path}" for path in getattr(finding, kind)]
        if wrong := store_check.measure(finding):
            found.append(f"the size of {finding.path} was wrong by {wrong}")
    return found


if __name__ == "__main__":
    sys.exit(main())
