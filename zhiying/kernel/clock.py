"""The time that decides who may do what: the database's, because machines' clocks differ."""

from datetime import timedelta

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
