"""Filters for the side of the lists."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, CreditEntry, User
from accounts.services import usage
from accounts.services.ledger_reads import start_of_day
from videos.models import VideoItem
from zhiying.kernel.api.fields import FIRST_DAY, LAST_DAY
from zhiying.kernel.windows import made_between

SHOWN_CODES = 50
SHOWN_DAYS = 366
NUMBERED = (CreditEntry, AuditEntry)
"""Logs that are read in the order of their numbers."""


class DayRangeFilter(admin.FieldListFilter):
    """First and last day of a time, both included, in the platform's time zone."""

    template = "admin/day_range_filter.html"

    def __init__(self, field: Any, request: HttpRequest, params: Any, *args: Any, **kwargs: Any) -> None:
        path = kwargs.get("field_path", args[-1] if args else field.name)
        self.first_name, self.last_name = self.parameters(path)
        super().__init__(field, request, params, *args, **kwargs)
        self.title = _("day")

    @staticmethod
    def parameters(path: str) -> tuple[str, str]:
        """What an address calls the first and the last day."""
        return f"{path}_first", f"{path}_last"

    def expected_parameters(self) -> list[str | None]:
        return [self.first_name, self.last_name]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        first, last = self._day(self.first_name), self._day(self.last_name)
        start = start_of_day(first) if first else None
        end = start_of_day(last + timedelta(days=1)) if last else None
        if queryset.model in NUMBERED:
            return made_between(queryset, start, end)
        limits = {f"{self.field_path}__gte": start, f"{self.field_path}__lt": end}
        return queryset.filter(**{name: limit for name, limit in limits.items() if limit})

    def choices(self, changelist: Any) -> Iterator[Any]:
        """What the template needs: the days chosen, and every other parameter of the page."""
        kept = {
            name: value
            for name, value in changelist.params.items()
            if name not in {*self.expected_parameters(), "p"}
        }
        yield {
            "first_name": self.first_name,
            "first": self._text(self.first_name),
            "last_name": self.last_name,
            "last": self._text(self.last_name),
            "kept": kept.items(),
            "cleared": changelist.get_query_string(remove=self.expected_parameters()),
            "chosen": bool(self._text(self.first_name) or self._text(self.last_name)),
        }

    def _text(self, name: str) -> str:
        values = self.used_parameters.get(name) or [""]
        return str(values[-1] if isinstance(values, list) else values)

    def _day(self, name: str) -> date | None:
        text = self._text(name)
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise IncorrectLookupParameters(ValidationError(str(error))) from error
        if not FIRST_DAY <= day <= LAST_DAY:
            raise IncorrectLookupParameters(ValidationError(text))
        return day


class PersonFilter(admin.SimpleListFilter):
    """The one user a list was opened for, with a way back to everybody; absent otherwise."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = self.used_parameters.get(str(self.parameter_name))
        if not chosen:
            return []
        try:
            user = User.objects.filter(pk=str(chosen)).first()
        except ValidationError:
            user = None
        return [(str(chosen), user.username if user else str(chosen))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if not self.value():
            return queryset
        try:
            return queryset.filter(**{self.path(queryset.model): self.value()})
        except ValidationError as error:
            raise IncorrectLookupParameters(error) from error

    def path(self, model: type[Model]) -> str:
        """Where a row of the list has the person's id."""
        return f"{self.parameter_name}_id"


class UserFilter(PersonFilter):
    title = _("user")
    parameter_name = "user"

    def path(self, model: type[Model]) -> str:
        return "batch__user_id" if model is VideoItem else "user_id"


class ErrorCodeFilter(admin.SimpleListFilter):
    """Why videos failed: the codes there were in the last year."""

    title = _("error code")
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        first = timezone.localdate() - timedelta(days=SHOWN_DAYS)
        failed = usage.of_all(first).exclude(code="").order_by("code")
        codes = failed.values_list("code", flat=True).distinct()[:SHOWN_CODES]
        return [(code, code) for code in codes]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(error_code=self.value()) if self.value() else queryset
