"""User groups: what is granted to many users at once."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from accounts.models import UserGroup
from accounts.services.groups import group_delete, group_save
from adminpanel.admin.base import SavedByService, administrator, refusals_shown
from adminpanel.admin.site import site


@admin.register(UserGroup, site=site)
class UserGroupAdmin(SavedByService):
    """Edited in place; the service does the saving and records who did it."""

    list_display = ("name", "queue_weight", "retention_days", "quota_mb", "members")
    fields = ("name", "queue_weight", "retention_days", "quota_mb")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[UserGroup]":
        rows: QuerySet[UserGroup] = super().get_queryset(request)
        return rows.annotate(member_count=Count("users"))

    @admin.display(description=_("Users"))
    def members(self, group: Any) -> int:
        return int(group.member_count)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        group_save(group=obj, acting_user=administrator(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        group_delete(group=obj, acting_user=administrator(request))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        with refusals_shown(request):  # somebody joined it, or it was deleted, since the page was opened
            return super().delete_view(request, object_id, extra_context)
        return HttpResponseRedirect(request.path)
