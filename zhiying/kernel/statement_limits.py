"""The bound of a statement's time on PostgreSQL, lifted where a whole table is read or changed."""

from typing import Any

from django.db import connection

from zhiying.kernel.commands import InstallationCommand


def lift_statement_limit(**_signal: Any) -> None:
    """This connection's statements may take as long as they need; its waits for locks keep their bound."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")


class LongCommand(InstallationCommand):
    """A management command whose statements grow with the installation."""

    def begin(self) -> None:
        lift_statement_limit()
