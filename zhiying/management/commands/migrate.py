"""`manage.py migrate` beside processes that work: it gives way, and comes again."""

import time
from typing import Any

from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import OperationalError, connection

from zhiying.kernel.statement_limits import lost_to_others

PAUSE_S = 1.0
"""For those who waited meanwhile."""
GIVES_UP_AFTER_S = 900.0


class Command(DjangoCommand):
    """Whoever changes a table waits for all who use it, and everybody who comes later waits behind that.

    So waits are short here (`zhiying.kernel.statement_limits`). A migration that is given up leaves nothing
    behind, and the next attempt goes on with it.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        ends_at, told = time.monotonic() + GIVES_UP_AFTER_S, False
        while True:
            try:
                super().handle(*args, **options)
                return
            except OperationalError as error:
                if not lost_to_others(error) or time.monotonic() > ends_at:
                    raise
            connection.close()  # with what it was told about waiting
            if not told:
                self.stderr.write("\nTables are in use; it is tried again until they are free for a moment.")
                told = True
            time.sleep(PAUSE_S)
