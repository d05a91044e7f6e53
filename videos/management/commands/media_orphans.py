"""`manage.py media_orphans`: does the store hold what rows point to, and nothing else?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from videos.services import store_check
from videos.store import deletions
from videos.store.installation import StoreProblem, store_problem
from zhiying.kernel.origin import NamedCommand
from zhiying.kernel.statement_limits import LongCommand

LISTED_AT_ONCE = 500


class Command(NamedCommand, LongCommand):
    """Reads both once, side by side; changes nothing unless it is asked to."""

    help = (
        "Compare store and database: files that nothing needs, and files that rows point to and are missing. "
        "Refuses where the store is another installation's."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--delete", action="store_true", help="Remove the files that nothing needs.")
        parser.add_argument(
            "--measure", action="store_true", help="Count again how much every user has stored."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if (problem := store_problem()) is not StoreProblem.NONE:
            raise CommandError(
                f"The store does not belong to this database ({problem}). See docs/storage.md; "
                "`manage.py prepare_store --adopt` if you are sure that it does."
            )
        orphans: list[str] = []
        orphaned = missing = unknown = wrong = 0
        for finding in store_check.compare():
            orphaned, missing = orphaned + len(finding.orphans), missing + len(finding.missing)
            unknown += len(finding.unknown)
            self._tell(finding)
            if options["measure"]:
                wrong += store_check.measure(finding) != 0
            orphans += finding.orphans if options["delete"] else []
            if len(orphans) >= LISTED_AT_ONCE:
                store_check.remove_orphans(orphans, acting_user=None)
                orphans = []
        store_check.remove_orphans(orphans, acting_user=None)
        self.stdout.write(f"{orphaned} paths that nothing needs, {missing} missing files, {unknown} unknown.")
        if options["measure"]:
            self.stdout.write(f"The sizes of {wrong} batches were corrected.")
        if options["delete"]:
            while deletions.work_off():
                pass
            self.stdout.write("Removed what nothing needs.")
        elif orphaned:
            self.stdout.write("Nothing was removed; --delete does.")

    def _tell(self, finding: store_check.Finding) -> None:
        for kind in ("orphans", "missing", "unknown"):
            for path in getattr(finding, kind):
                self.stdout.write(f"{kind.removesuffix('s')}: {path}")
