"""`manage.py prepare_store`: the store is there, is ours, and takes files from our pages."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from videos.store.backends import is_remote
from videos.store.bucket import prepare_bucket
from videos.store.installation import claim_store
from zhiying.kernel.origin import NamedCommand


class Command(NamedCommand):
    """Idempotent; run it again when PUBLIC_URL or CORS_ALLOWED_ORIGINS change."""

    help = "Make the S3 bucket if it is missing, set its CORS and lifecycle rules, mark the store as ours."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="This store belongs to this database, whatever it says: after moving files or a database.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for sentence in prepare_bucket() if is_remote() else []:
            self.stdout.write(sentence)
        if problem := claim_store(adopt=options["adopt"]):
            raise CommandError(
                f"The store does not belong to this database ({problem}), so nothing is removed from it. "
                "Set S3_PREFIX or DATABASE_URL right; or, if you are sure that they are, use --adopt."
            )
        self.stdout.write("The store is this installation's.")
