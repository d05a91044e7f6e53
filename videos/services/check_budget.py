"""Decoding for nothing has a limit: dry runs and submissions that fail, by user and hour.

What is decoded is taken from the budget first and given back once the batch is paid for, so that many
requests at once cannot pass the limit together.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from accounts.models import User
from videos.models import CheckBudget
from zhiying.kernel.clock import as_told, database_now, database_time
from zhiying.kernel.errors import DomainError
from zhiying.kernel.outages import drop_broken_connection

Paid = Callable[[], None]
"""Called once the batch is paid for."""

logger = logging.getLogger(__name__)


class TooManyChecksError(DomainError):
    """The user had too much decoded in this hour without paying."""

    code = "too_many_checks"
    status = 429


@contextmanager
def checking(*, acting_user: User, images: int) -> Iterator[Paid]:
    """Take `images` from the user's budget for as long as nothing was paid; at least one.

    Raises:
        TooManyChecksError: with the time until the next hour.
    """
    count = max(1, min(images, settings.FREE_CHECKS_PER_HOUR))
    hour = _take(acting_user, count)
    paid: list[bool] = []
    yield lambda: paid.append(True)
    if paid:
        _give_back(acting_user, hour, count)


def _give_back(user: User, hour: datetime, count: int) -> None:
    """The batch is charged and committed: an error here would have its sender send, and pay, again."""
    mine = CheckBudget.objects.filter(user=user, hour=hour)
    try:
        mine.update(used=Greatest(F("used") - count, 0))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("%d checks of a paid batch stay counted: %s", count, type(error).__name__)
        drop_broken_connection()


def _take(user: User, count: int) -> datetime:
    budget = CheckBudget.objects.filter(user=user)
    told = budget.values_list(database_now(), flat=True).first()
    now = as_told(told) if told else database_time()
    hour = now.replace(minute=0, second=0, microsecond=0)
    if told is None:
        CheckBudget.objects.bulk_create([CheckBudget(user=user, hour=hour)], ignore_conflicts=True)
    budget.filter(hour__lt=hour).update(hour=hour, used=0)
    # The guard is in the UPDATE itself: of requests at once, only as many win as the limit allows.
    if not budget.filter(used__lte=settings.FREE_CHECKS_PER_HOUR - count).update(used=F("used") + count):
        wait_s = ceil((hour + timedelta(hours=1) - now).total_seconds())
        text = _("Too many checks without a batch. Try again in %(minutes)d minutes.")
        raise TooManyChecksError(
            text % {"minutes": ceil(wait_s / 60)}, headers={"Retry-After": str(max(1, wait_s))}
        )
    return hour
