"""Serializer fields shared by the API's parts."""

from datetime import date
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from rest_framework import serializers

FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2199, 12, 31)


class DayField(serializers.DateField):
    """A day far enough from the ends of the calendar that adding one, or a time zone, cannot overflow."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators += [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
