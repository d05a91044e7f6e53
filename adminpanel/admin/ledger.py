"""The credit ledger: read, searched, filtered, exported; never changed."""

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import CreditEntry, User
from adminpanel.admin import markup
from adminpanel.admin.base import ReadOnlyAdmin
from adminpanel.admin.filters import DayRangeFilter, UserFilter
from adminpanel.admin.site import site
from videos.models import Batch

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


COLUMNS = (
    "number", "created_at", "user", "kind", "amount", "balance_after", "administrator", "note",
    "batch_id", "item_id", "id",
)  # fmt: skip
"""Of the exported ledger. Times are in the platform's zone, with their offset."""
EXPORT_CHUNK_ROWS = 2000


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


@admin.register(CreditEntry, site=site)
class CreditEntryAdmin(ReadOnlyAdmin):
    """Every movement of credits. Corrections are new entries, made on the page of the user."""

    list_display = (
        "created_at",
        "owner",
        "kind",
        "signed_amount",
        "balance_after",
        "administrator",
        "note",
        "of_batch",
    )
    list_display_links = ("created_at",)
    list_filter = ("kind", ("created_at", DayRangeFilter), UserFilter)
    list_select_related = ("user", "actor")
    search_fields = ("user__username", "note")
    search_help_text = _("User name or note")
    id_fields = ("id", "batch_id")
    ordering = ("-number",)
    sortable_by = ()  # entries have one order, that in which they were made
    fields = (
        "created_at",
        "owner",
        "kind",
        "signed_amount",
        "balance_after",
        "administrator",
        "note",
        "of_batch",
        "item_id",
        "operation_key",
        "id",
    )
    readonly_fields = ("owner", "signed_amount", "administrator", "of_batch")

    def get_urls(self) -> list[URLPattern]:
        export = path(
            "export/", self.admin_site.admin_view(self.export_view), name="accounts_creditentry_export"
        )
        return [export, *super().get_urls()]

    @admin.display(description=_("user"))
    def owner(self, entry: CreditEntry) -> str:
        return markup.link(User, entry.user_id, entry.user.username)

    @admin.display(description=_("amount"))
    def signed_amount(self, entry: CreditEntry) -> str:
        return markup.amount(entry.amount)

    @admin.display(description=_("administrator"))
    def administrator(self, entry: CreditEntry) -> str:
        return entry.actor.username if entry.actor else ""

    @admin.display(description=_("batch"))
    def of_batch(self, entry: CreditEntry) -> str:
        # The batch may have been deleted since; then its page says so.
        return markup.link(Batch, entry.batch_id, str(entry.batch_id)[:8]) if entry.batch_id else ""

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The list as it is filtered now, as CSV. Streamed, so a ledger of any length fits in memory."""
        try:
            entries = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{self.page_url('changelist')}?{ERROR_FLAG}=1")
        name = f"credit-entries-{timezone.localdate():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            _csv_lines(entries),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )


def _csv_lines(entries: "QuerySet[CreditEntry]") -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff"  # the mark by which spreadsheets know UTF-8
    yield writer.writerow(COLUMNS)
    for entry in entries.iterator(chunk_size=EXPORT_CHUNK_ROWS):
        yield writer.writerow([_cell(value) for value in _row(entry)])


def _row(entry: CreditEntry) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    return (
        entry.number,
        timezone.localtime(entry.created_at).isoformat(timespec="seconds"),
        entry.user.username,
        entry.kind,
        entry.amount,
        entry.balance_after,
        entry.actor.username if entry.actor else "",
        entry.note,
        entry.batch_id,
        entry.item_id,
        entry.id,
    )


def _cell(value: Any) -> Any:
    """Text that would become a formula in a spreadsheet is marked as text; numbers stay numbers."""
    text = "" if value is None else str(value)
    if not text.startswith(_FORMULA_STARTS) or text.lstrip("-").isdecimal():
        return text
    return f"'{text}"
