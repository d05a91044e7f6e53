"""`manage.py topup_credits`: credits for one user, or for many from a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.models import User
from accounts.services import credits as ledger
from accounts.services.bulk_topup import BadLinesError, read_lines, top_up_all
from zhiying.kernel.errors import DomainError
from zhiying.kernel.origin import NamedCommand


class Command(NamedCommand):
    """Safe to run twice with the same `--key`: what was credited before is not credited again."""

    help = (
        "Top up credits: USERNAME AMOUNT --reason …, or --csv FILE (username,amount,reason; all or nothing)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?")
        parser.add_argument("amount", nargs="?", type=int)
        parser.add_argument("--reason", default="", help="Kept in the ledger; required without --csv.")
        parser.add_argument("--csv", type=Path, help="A file with the columns username, amount, reason.")
        parser.add_argument("--key", default="", help="Names this top-up, so that it happens only once.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["csv"]:
                self._from_file(options["csv"], options["key"], options["reason"])
            else:
                self._single(options)
        except DomainError as error:
            raise CommandError(error.detail) from error

    def _single(self, options: dict[str, Any]) -> None:
        if not options["username"] or options["amount"] is None:
            raise CommandError("Give USERNAME and AMOUNT, or --csv FILE.")
        user = User.objects.named(options["username"])
        if user is None:
            raise CommandError(f"There is no user named {options['username']}.")
        entry = ledger.top_up(
            user_id=user.pk,
            amount=options["amount"],
            reason=options["reason"],
            key=options["key"],
            acting_user=None,
        )
        balance = entry.balance_after  # without a look: an error now would have it added again
        if entry.repeated:
            user.refresh_from_db()
            balance = user.credits
            done = f"nothing added, since {entry.amount:+d} under this key was on {entry.created_at:%Y-%m-%d}"
        else:
            done = f"{entry.amount:+d}"
        self.stdout.write(f"{user.username}: {done}, balance {balance}.")

    def _from_file(self, path: Path, key: str, reason: str) -> None:
        try:
            lines = read_lines(path, default_reason=reason)
            entries = top_up_all(lines, key=key, acting_user=None)
        except OSError as error:
            raise CommandError(f"Cannot read {path}: {error.strerror}.") from error
        except BadLinesError as error:
            for problem in error.problems:
                self.stderr.write(problem)
            raise CommandError(f"{len(error.problems)} bad lines; nobody was credited.") from error
        made = [entry for entry in entries if not entry.repeated]
        before = f" {len(entries) - len(made)} lines were done before." if len(made) < len(entries) else ""
        total = sum(entry.amount for entry in made)
        self.stdout.write(f"{len(made)} lines topped up with {total} credits in all.{before}")
