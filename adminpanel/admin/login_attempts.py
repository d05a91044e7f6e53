"""Wrong passwords as django-axes counts them: who is locked out, and a way to let them in again."""

from typing import Any

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext

from accounts.models import AuditAction
from accounts.services import audit_log
from adminpanel.admin import markup
from adminpanel.admin.base import ReadOnlyAdmin, administrator, too_many
from adminpanel.admin.filters import DayRangeFilter
from adminpanel.admin.site import site

MODEL_NAMES = (gettext_noop("access attempt"), gettext_noop("access attempts"))
"""The package brings no Chinese for its model's names."""


@admin.register(AccessAttempt, site=site)
class LoginAttemptAdmin(ReadOnlyAdmin):
    list_display = ("name", "address", "failures", "latest", "browser")
    list_display_links = ("name",)
    list_filter = (("attempt_time", DayRangeFilter),)
    search_fields = ("username", "ip_address")
    search_help_text = _("User name or address")
    ordering = ("-attempt_time",)
    actions = ("unlock",)
    fields = readonly_fields = ("name", "address", "failures", "latest", "browser", "path")

    @admin.display(description=_("User name"), ordering="username")
    def name(self, attempt: Any) -> str:
        return str(attempt.username or "–")

    @admin.display(description=_("Address"), ordering="ip_address")
    def address(self, attempt: Any) -> str:
        return str(attempt.ip_address or "–")

    @admin.display(description=_("Wrong passwords"), ordering="failures_since_start")
    def failures(self, attempt: Any) -> str:
        count = attempt.failures_since_start
        if count < settings.AXES_FAILURE_LIMIT:
            return str(count)
        return markup.lines([markup.badge("failed", _("%(count)d, locked") % {"count": count})])

    @admin.display(description=_("Latest attempt"), ordering="attempt_time")
    def latest(self, attempt: Any) -> str:
        return markup.moment(attempt.attempt_time)

    @admin.display(description=_("Browser"))
    def browser(self, attempt: Any) -> str:
        return str(attempt.user_agent)

    @admin.display(description=_("Page"))
    def path(self, attempt: Any) -> str:
        return str(attempt.path_info)

    @admin.action(description=_("Forget these attempts (unlocks)"), permissions=["view"])
    def unlock(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        if too_many(request, queryset):
            return
        count = 0
        actor = administrator(request)
        for attempt in list(queryset):
            with transaction.atomic():
                audit_log.record(
                    AuditAction.USER_UNLOCK,
                    acting_user=actor,
                    target=attempt,
                    name=str(attempt.username or attempt.ip_address),
                )
                count += reset(username=attempt.username, ip=attempt.ip_address)
        text = ngettext("%(count)d record was removed.", "%(count)d records were removed.", count)
        messages.success(request, text % {"count": count})
