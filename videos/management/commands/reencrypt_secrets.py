"""`manage.py reencrypt_secrets`: bring what is encrypted in the database under the new SECRET_KEY."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.models import AuditAction
from accounts.services import audit_log, second_factor
from videos.models import Installation
from videos.services import credentials
from zhiying.kernel.origin import NamedCommand


class Command(NamedCommand):
    """Safe to run twice, and while the installation works. Then the old key can be dropped."""

    help = (
        "Encrypt second factors and engines' credentials anew with SECRET_KEY; before a fallback is dropped."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = 0
        for name, run in (
            ("second factors", second_factor.reencrypt_all),
            ("credentials of engines", credentials.reencrypt_all),
        ):
            done, lost = self._recorded(name, run)
            unreadable += lost
            self.stdout.write(f"{done} {name} are encrypted with SECRET_KEY now.")
            if lost:
                self.stderr.write(f"{lost} {name} cannot be read with any key; they have to be set anew.")
        if unreadable:
            raise CommandError("Some secrets cannot be read; see above.")

    @transaction.atomic
    def _recorded(self, name: str, run: Callable[[], tuple[int, int]]) -> tuple[int, int]:
        done, lost = run()
        if done:
            audit_log.record(
                AuditAction.SECRETS_REENCRYPT,
                acting_user=None,
                target=Installation.objects.first() or Installation(),
                name=name,
                details={"count": done, "unreadable": lost},
            )
        return done, lost
