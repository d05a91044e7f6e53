"""`manage.py prepare_store`: the bucket is there and takes files from our pages."""

from typing import Any

from django.core.management.base import BaseCommand

from videos.store import storage
from videos.store.bucket import prepare_bucket


class Command(BaseCommand):
    """Idempotent; run it again when PUBLIC_URL or CORS_ALLOWED_ORIGINS change."""

    help = "Make the S3 bucket if it is missing and set its CORS and lifecycle rules."

    def handle(self, *args: Any, **options: Any) -> None:
        if not storage.is_remote():
            self.stdout.write("Media are on disk; there is nothing to prepare.")
            return
        for sentence in prepare_bucket():
            self.stdout.write(sentence)
