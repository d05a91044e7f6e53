"""The time that decides who may do what: the database's, because machines' clocks differ."""

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import DateTimeField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone


def database_now(plus: timedelta = timedelta()) -> Combinable:
    """An expression for the database's time, later by `plus`.

    SQLite runs in the process itself, so there the process's own clock is the database's.
    """
    if connection.vendor != "postgresql":
        return Value(timezone.now() + plus, output_field=DateTimeField())
    return Now() + Value(plus) if plus else Now()


def database_time() -> datetime:
    """The database's time as a value, for what is written into tokens: by one query where it has its own."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        return as_told(cursor.fetchone()[0])


def as_told(told: datetime) -> datetime:
    """Our own time, set right by what the database has just told of its own.

    `told` is `database_now()` among the values of a query that is made anyway.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    return timezone.now() + (told - datetime.now(UTC))
