"""The credit ledger: read, searched, filtered, exported; never changed."""

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from import_export import resources
from import_export.admin import ExportMixin
from import_export.fields import Field

from accounts.models import CreditEntry, User
from adminpanel.admin import markup
from adminpanel.admin.base import ReadOnlyAdmin
from adminpanel.admin.filters import DayRangeFilter, UserFilter
from adminpanel.admin.site import site
from videos.models import Batch

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class EntryResource(resources.ModelResource):  # type: ignore[misc]  # the package has no types
    """The columns of the exported ledger. Times are in the platform's zone, with their offset."""

    user = Field(attribute="user__username", column_name="user")
    actor = Field(attribute="actor__username", column_name="administrator")
    created_at = Field(column_name="created_at")

    class Meta:
        model = CreditEntry
        fields = (
            "number", "created_at", "user", "kind", "amount", "balance_after", "actor", "note",
            "batch_id", "item_id", "id",
        )  # fmt: skip
        export_order = fields
        chunk_size = 2000

    def dehydrate_created_at(self, entry: CreditEntry) -> str:
        return timezone.localtime(entry.created_at).isoformat(timespec="seconds")


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


@admin.register(CreditEntry, site=site)
class CreditEntryAdmin(ExportMixin, ReadOnlyAdmin):  # type: ignore[misc]  # the package has no types
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
    resource_classes = (EntryResource,)

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

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        """The list as it is filtered now, as CSV. Streamed, so a ledger of any length fits in memory."""
        try:
            entries = self.get_export_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{self.page_url('changelist')}?{ERROR_FLAG}=1")
        name = f"credit-entries-{timezone.localdate():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            _csv_lines(entries),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )


def _csv_lines(entries: "QuerySet[CreditEntry]") -> Iterator[str]:
    resource = EntryResource()
    writer = csv.writer(_Line())
    yield "\ufeff"  # the mark by which spreadsheets know UTF-8
    yield writer.writerow(resource.get_export_headers())
    for entry in resource.iter_queryset(entries):
        yield writer.writerow([_cell(value) for value in resource.export_resource(entry)])


def _cell(value: Any) -> Any:
    """Text that would become a formula in a spreadsheet is marked as text; numbers stay numbers."""
    text = "" if value is None else str(value)
    if not text.startswith(_FORMULA_STARTS) or text.lstrip("-").isdecimal():
        return text
    return f"'{text}"
