"""Failed attempts to log in: who is locked out, and a way to let them in again."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext

from accounts.models import AuditAction, CounterKind, LoginCounter
from accounts.services import audit_log
from accounts.services.login_limits import limit_of
from adminpanel.admin import markup
from adminpanel.admin.base import ReadOnlyAdmin, administrator, too_many
from adminpanel.admin.filters import DayRangeFilter
from adminpanel.admin.site import site
from zhiying.kernel.clock import database_now

MODEL_NAMES = (gettext_noop("access attempt"), gettext_noop("access attempts"))
"""The package brings no Chinese for its model's names."""


@admin.register(LoginCounter, site=site)
class LoginCounterAdmin(ReadOnlyAdmin):
    list_display = ("what", "name", "place", "failures", "latest", "until")
    list_display_links = ("what",)
    list_filter = ("kind", ("attempted_at", DayRangeFilter))
    list_select_related = ("user",)
    search_fields = ("user__username_key__startswith", "network__startswith")
    search_help_text = _("The beginning of a user name or of a network")
    ordering = ("-attempted_at", "id")
    actions = ("unlock",)
    fields = readonly_fields = ("what", "name", "place", "failures", "latest", "until")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[LoginCounter]":
        rows: QuerySet[LoginCounter] = super().get_queryset(request)
        rows = rows.exclude(kind=CounterKind.CALLS).filter(attempts__gt=0)
        return rows.annotate(is_over=Q(expires_at__lte=database_now()))

    @admin.display(description=_("What is counted"), ordering="kind")
    def what(self, counter: Any) -> str:
        return str(counter.get_kind_display())

    @admin.display(description=_("User name"))
    def name(self, counter: Any) -> str:
        if counter.user:
            return str(counter.user.username)
        return str(_("nobody of this name")) if counter.kind in {CounterKind.PLACE, CounterKind.USER} else "–"

    @admin.display(description=_("Network"), ordering="network")
    def place(self, counter: Any) -> str:
        return str(counter.network or "–")

    @admin.display(description=_("Attempts"), ordering="attempts")
    def failures(self, counter: Any) -> str:
        if counter.attempts < limit_of(counter.kind) or counter.is_over:
            return str(counter.attempts)
        return markup.lines([markup.badge("failed", _("%(count)d, locked") % {"count": counter.attempts})])

    @admin.display(description=_("Latest attempt"), ordering="attempted_at")
    def latest(self, counter: Any) -> str:
        return markup.moment(counter.attempted_at)

    @admin.display(description=_("Counts until"), ordering="expires_at")
    def until(self, counter: Any) -> str:
        return markup.moment(counter.expires_at)

    @admin.action(description=_("Forget these attempts (unlocks)"), permissions=["view"])
    def unlock(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        if too_many(request, queryset):
            return
        count = 0
        actor = administrator(request)
        for counter in list(queryset.select_related("user")):
            with transaction.atomic():
                audit_log.record(
                    AuditAction.USER_UNLOCK,
                    acting_user=actor,
                    target=counter,
                    name=counter.user.username if counter.user else counter.network or str(counter),
                )
                count += LoginCounter.objects.filter(pk=counter.pk).delete()[0]
        text = ngettext("%(count)d record was removed.", "%(count)d records were removed.", count)
        messages.success(request, text % {"count": count})
