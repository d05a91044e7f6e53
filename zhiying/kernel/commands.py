"""What management commands have in common: they work on an installation that is there."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection


class InstallationCommand(BaseCommand):
    """A command for an installation that was set up; says what to set where there is none."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        _require_text(options)
        _require_installation()
        self.begin()
        return super().execute(*args, **options)

    def begin(self) -> None:
        """What comes before the command itself."""


def _require_text(options: Mapping[str, Any]) -> None:
    """Paths may be any bytes; what is written into the database or shown may not.

    Raises:
        CommandError: an argument is not UTF-8, which no database takes.
    """
    for name, value in options.items():
        try:
            if isinstance(value, str):
                value.encode()
        except UnicodeEncodeError as error:
            raise CommandError(f"The argument {name!r} is not text in UTF-8.") from error


def _require_installation() -> None:
    """Raises:
    CommandError: the database that the environment names is not there, or was never set up.
    """
    try:
        if "django_migrations" in connection.introspection.table_names():
            return
    except DatabaseError as error:
        raise CommandError(f"The database cannot be reached: {str(error).splitlines()[0]}") from error
    raise CommandError(
        f"There is no installation in {settings.DATA_DIR if settings.EMBEDDED else 'this database'}. "
        "Set DATA_DIR, or DATABASE_URL, to what the running one has."
    )
