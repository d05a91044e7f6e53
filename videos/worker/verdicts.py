"""Verdicts are written even if the database is away for a while."""

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, close_old_connections

from videos.services.attempts import Claim
from videos.worker.stopping import stopping

LONGEST_OUTAGE_S = 600.0
"""How long a verdict waits for a database that is away; after that the sweep decides."""
OUTAGE_PAUSE_S = 1.0
PATIENCE_OF_STOPPING_S, STOPPING_PAUSE_S = 5.0, 0.25
"""How long it waits where the process is asked to stop: one statement that failed is not an outage."""

logger = logging.getLogger(__name__)


def surely(claim: Claim, write: Callable[[], bool]) -> bool | None:
    """Write a verdict, waiting for a database that is away for as long as the claim may be good.

    False: the claim was not good any more. None: it could not be written, and may be good still.
    """
    ends_at = time.monotonic() + LONGEST_OUTAGE_S
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            logger.warning("A verdict waits for the database: %s", type(error).__name__)
            close_old_connections()
            if stopping.wait(OUTAGE_PAUSE_S):
                ends_at = min(ends_at, time.monotonic() + PATIENCE_OF_STOPPING_S)
                time.sleep(STOPPING_PAUSE_S)
            if time.monotonic() > ends_at:
                logger.exception("Item %s is left to others", claim.item_id)
                return None
