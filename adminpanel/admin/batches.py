"""Batches with their videos: watched, retried, cancelled, deleted."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from adminpanel.admin import markup
from adminpanel.admin.base import (
    ReadOnlyAdmin,
    administrator,
    only_post,
    packed,
    refusals_shown,
    too_many,
    unpacked,
)
from adminpanel.admin.filters import DayRangeFilter, UserFilter
from adminpanel.admin.site import site
from videos.engine_names import name_of
from videos.models import OPEN_STATUSES, Batch, VideoItem
from videos.services import batches


class ItemInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """The videos of a batch as cards with players."""

    model = VideoItem
    template = "admin/videos/batch/items.html"
    fields = ()
    extra = max_num = 0
    can_delete = False
    ordering = ("position",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Batch, site=site)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ("preview", "name", "owner", "state", "results", "audio_duration", "created_at")
    list_display_links = ("preview", "name")
    list_filter = ("status", ("created_at", DayRangeFilter), UserFilter)
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    search_help_text = gettext_lazy("Name of a batch or of a user")
    ordering = ("-created_at", "-id")
    sortable_by = ("created_at",)
    actions = ("retry_failed", "cancel", "put_first", "delete_batches")
    fields = ("name", "owner", "state", "results", "engine_shown", "prompt", "recording", "created_at", "id")
    readonly_fields = ("owner", "state", "results", "engine_shown", "recording")
    inlines = (ItemInline,)
    change_form_template = "admin/videos/batch/change_form.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.has_view_permission(request))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)  # its confirmation sends a field for every row
        return actions

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Batch]":
        items = VideoItem.objects.filter(batch=OuterRef("pk"))
        first = items.order_by("position").values("thumbnail")[:1]
        rows: QuerySet[Batch] = super().get_queryset(request)
        return rows.annotate(first_thumbnail=Subquery(first))

    @admin.display(description="")
    def preview(self, batch: Any) -> str:
        return markup.thumbnail(batch.first_thumbnail or "", batch.name)

    @admin.display(description=gettext_lazy("engine"))
    def engine_shown(self, batch: Batch) -> str:
        """The one that makes it, and those to which what waits may still go."""
        return " → ".join([name_of(batch.engine), *filter(None, batch.fallbacks.split(","))])

    @admin.display(description=gettext_lazy("user"))
    def owner(self, batch: Batch) -> str:
        return markup.link(User, batch.user_id, batch.user.username)

    @admin.display(description=gettext_lazy("status"))
    def state(self, batch: Batch) -> str:
        return markup.badge(batch.status, batch.get_status_display())

    @admin.display(description=gettext_lazy("Videos"))
    def results(self, batch: Any) -> str:
        shown = [_("%(done)d of %(total)d") % {"done": batch.completed_count, "total": batch.image_count}]
        if batch.failed_count:
            shown.append(_("%(count)d failed") % {"count": batch.failed_count})
        return markup.lines(shown)

    @admin.display(description=gettext_lazy("Audio (s)"))
    def audio_duration(self, batch: Batch) -> str:
        return f"{batch.audio_duration_s:.1f}"

    @admin.display(description=gettext_lazy("Recording"))
    def recording(self, batch: Batch) -> str:
        return markup.recording(batch.audio, f"{batch.audio_name} · {batch.audio_duration_s:.1f} s")

    # --- Buttons of one batch ----------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("delete/", view(self.delete_many_view), name="videos_batch_delete_many"),
            path("<uuid:batch_id>/retry/", view(self.retry_view), name="videos_batch_retry"),
            path("<uuid:batch_id>/cancel/", view(self.cancel_view), name="videos_batch_cancel"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        batch = self.get_object(request, object_id)
        buttons = {
            "can_retry": bool(batch and batch.failed_count),
            "can_cancel": bool(batch and batch.status in OPEN_STATUSES),
        }
        return super().change_view(request, object_id, form_url, buttons)

    def retry_view(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        """Retry what failed of one batch."""
        return self._button(request, batch_id, self._retry)

    def cancel_view(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        """Cancel what waits or runs of one batch."""
        return self._button(request, batch_id, self._cancel)

    def _button(
        self, request: HttpRequest, batch_id: UUID, press: Callable[[HttpRequest, Iterable[Batch]], None]
    ) -> HttpResponse:
        if refusal := only_post(request):
            return refusal
        press(request, [self.required_object(request, str(batch_id))])
        return self.back_to(batch_id)

    # --- Actions on a selection --------------------------------------------------------------------

    @admin.action(
        description=gettext_lazy("Retry failed videos (charges their owners)"), permissions=["view"]
    )
    def retry_failed(self, request: HttpRequest, queryset: "QuerySet[Batch]") -> None:
        if not too_many(request, queryset):
            self._retry(request, queryset.select_related("user"))

    @admin.action(
        description=gettext_lazy("Cancel unfinished videos (refunds their owners)"), permissions=["view"]
    )
    def cancel(self, request: HttpRequest, queryset: "QuerySet[Batch]") -> None:
        if not too_many(request, queryset):
            self._cancel(request, queryset.select_related("user"))

    @admin.action(description=gettext_lazy("Render before everybody else's"), permissions=["view"])
    def put_first(self, request: HttpRequest, queryset: "QuerySet[Batch]") -> None:
        if too_many(request, queryset):
            return
        count = sum(
            batches.batch_first(batch=batch, acting_user=administrator(request))
            for batch in queryset.select_related("user")
        )
        text = ngettext("%(count)d video was put first.", "%(count)d videos were put first.", count)
        messages.success(request, text % {"count": count})

    @admin.action(description=gettext_lazy("Delete …"), permissions=["delete"])
    def delete_batches(self, request: HttpRequest, queryset: "QuerySet[Batch]") -> HttpResponse | None:
        if too_many(request, queryset):
            return None
        return self._confirm_deletion(request, queryset)

    def _retry(self, request: HttpRequest, chosen: Iterable[Batch]) -> None:
        count = 0
        for batch in chosen:
            with refusals_shown(request, batch.name):
                if retried := batches.batch_retry_failed(batch=batch, acting_user=administrator(request)):
                    count += retried
                    text = _("%(count)d failed videos queued again.") % {"count": retried}
                    self.log_change(request, batch, text)
        text = ngettext(
            "%(count)d failed video was queued again.", "%(count)d failed videos were queued again.", count
        )
        messages.success(request, text % {"count": count})

    def _cancel(self, request: HttpRequest, chosen: Iterable[Batch]) -> None:
        count = 0
        for batch in chosen:
            if cancelled := batches.batch_cancel(batch=batch, acting_user=administrator(request)):
                count += cancelled
                self.log_change(request, batch, _("%(count)d videos cancelled.") % {"count": cancelled})
        text = ngettext(
            "%(count)d video was cancelled and refunded.",
            "%(count)d videos were cancelled and refunded.",
            count,
        )
        messages.success(request, text % {"count": count})

    # --- Deleting ----------------------------------------------------------------------------------

    def delete_many_view(self, request: HttpRequest) -> HttpResponse:
        """Delete the batches named in `batches`, once it was confirmed."""
        if refusal := only_post(request):
            return refusal
        chosen = self.get_queryset(request).filter(pk__in=unpacked(request.POST.get("batches", "")))
        count = 0
        for batch in list(chosen):
            self.log_deletions(request, Batch.objects.filter(pk=batch.pk))
            batches.batch_delete(batch=batch, acting_user=administrator(request))
            count += 1
        text = ngettext("%(count)d batch was deleted.", "%(count)d batches were deleted.", count)
        messages.success(request, text % {"count": count})
        return HttpResponseRedirect(self.page_url("changelist"))

    def _confirm_deletion(self, request: HttpRequest, queryset: "QuerySet[Batch]") -> HttpResponse:
        chosen = list(queryset.select_related("user"))
        context = {"chosen": chosen, "packed": packed(chosen), "form_action": self.page_url("delete_many")}
        return self.page(request, "admin/videos/batch/delete.html", _("Delete batches"), context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """What Django's own page for one batch lists; the service does the deleting."""
        shown = [f"{batch.name} · {batch.user.username}" for batch in objs]
        counts = {
            Batch._meta.verbose_name_plural: len(shown),
            VideoItem._meta.verbose_name_plural: sum(batch.image_count for batch in objs),
        }
        return shown, counts, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        batches.batch_delete(batch=obj, acting_user=administrator(request))
