"""The audit log: read, searched by name, filtered; never changed."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditAction, AuditEntry, User
from accounts.services.audit_log import name_begins_with
from adminpanel.admin import markup
from adminpanel.admin.base import ReadOnlyAdmin
from adminpanel.admin.filters import DayRangeFilter, PersonFilter
from adminpanel.admin.site import site


class ActionFilter(admin.SimpleListFilter):
    """One kind of action."""

    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in AuditAction.choices]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(action=self.value()) if self.value() else queryset


class ActorFilter(PersonFilter):
    title = _("who")
    parameter_name = "actor"


class OwnerFilter(PersonFilter):
    title = _("owner")
    parameter_name = "owner"


@admin.register(AuditEntry, site=site)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("when", "who", "acting_as", "deed", "target", "of", "reason", "client_address")
    list_display_links = ("when",)
    list_filter = (ActionFilter, ("created_at", DayRangeFilter), ActorFilter, OwnerFilter)
    list_select_related = ("actor", "owner")
    search_fields = ("target_key", "actor_key")
    search_help_text = _("Beginning of a name: of the target, or of who acted")
    ordering = ("-number",)
    sortable_by = ()
    fields = readonly_fields = (
        "when", "who", "acting_as", "deed", "target", "of", "reason", "changes", "client_address",
        "request_id", "target_kind", "target_id", "id",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        """By the beginning of a name, which an index answers; Django's own search reads every row."""
        return (queryset.filter(name_begins_with(search_term)) if search_term else queryset), False

    @admin.display(description=_("when"))
    def when(self, entry: AuditEntry) -> str:
        return markup.moment(entry.created_at)

    @admin.display(description=_("who"))
    def who(self, entry: AuditEntry) -> str:
        return (
            markup.list_link(AuditEntry, f"actor={entry.actor_id}", entry.actor_name)
            if entry.actor_id
            else entry.actor_name
        )

    @admin.display(description=_("action"))
    def deed(self, entry: AuditEntry) -> str:
        return entry.action_label

    @admin.display(description=_("target"))
    def target(self, entry: AuditEntry) -> str:
        return entry.target_name

    @admin.display(description=_("owner"))
    def of(self, entry: AuditEntry) -> str:
        return markup.link(User, entry.owner_id, entry.owner.username) if entry.owner else ""

    @admin.display(description=_("details"))
    def changes(self, entry: AuditEntry) -> str:
        return format_html("<pre>{}</pre>", json.dumps(entry.details, ensure_ascii=False, indent=2))
