"""`manage.py engine_credential`: set or remove an engine's credential, from a file or standard input."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from videos.services import credentials
from zhiying.kernel.errors import DomainError
from zhiying.kernel.origin import NamedCommand


class Command(NamedCommand):
    """Safe to run twice. There is no argument for the credential: whoever sees processes sees arguments."""

    help = "Set an engine's credential from standard input, or from a file; works everywhere within 5 s."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("engine", nargs="?", default="", help="GENERATION_ENGINE unless given.")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--file", type=Path, help="Holds the credential and nothing else.")
        how.add_argument("--remove", action="store_true", help="The environment's, if any, holds again.")
        how.add_argument("--status", action="store_true", help="Tell what is known, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        engine = options["engine"] or settings.GENERATION_ENGINE
        keeps = not options["status"] and not options["remove"]
        try:
            credentials.require_engine(engine, or_stored=not keeps)  # before a credential is typed
            if keeps:
                self._set(engine, self._given(options["file"]))
            elif options["remove"]:
                self._remove(engine)
            else:
                self._tell(credentials.status_of(engine))
        except DomainError as error:
            raise CommandError(error.detail) from error

    def _remove(self, engine: str) -> None:
        removed = credentials.remove_credential(engine=engine, acting_user=None)
        self.stdout.write("Removed." if removed else f"{engine} had no credential; nothing was changed.")

    def _set(self, engine: str, new: str) -> None:
        warning = credentials.set_credential(engine=engine, new=new, acting_user=None)
        self.stdout.write(f"The credential of {engine} was set.")
        if warning:
            self.stderr.write(warning)

    def _tell(self, status: credentials.Status) -> None:
        since = f" by {status.set_by} at {status.set_at:%Y-%m-%d %H:%M:%S %Z}" if status.set_at else ""
        unreadable = "" if status.readable else ", unreadable (SECRET_KEY changed)"
        self.stdout.write(
            f"{status.engine}: {status.use}, {status.source}{since}{unreadable}; last use: {status.last_use}"
        )

    def _given(self, path: Path | None) -> str:
        try:
            if path is not None:
                return path.read_text(encoding="utf-8")
            return getpass("Credential: ") if sys.stdin.isatty() else sys.stdin.readline()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The credential cannot be read: {type(error).__name__}.") from error
