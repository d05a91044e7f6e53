"""Single videos across all batches: what failed and why."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from adminpanel.admin import markup
from adminpanel.admin.base import ReadOnlyAdmin, administrator, only_post, refusals_shown, too_many
from adminpanel.admin.filters import DayRangeFilter, ErrorCodeFilter, UserFilter
from adminpanel.admin.site import site
from videos import catalogue
from videos.engine_names import name_of
from videos.models import FINAL_STATUSES, Batch, ItemStatus, VideoItem
from videos.services import batches
from videos.services.transitions import RETRYABLE


@admin.register(VideoItem, site=site)
class VideoItemAdmin(ReadOnlyAdmin):
    list_display = (
        "preview",
        "original_name",
        "of_batch",
        "owner",
        "state",
        "problem",
        "attempts",
        "queued",
    )
    list_display_links = ("preview", "original_name")
    list_filter = ("status", ErrorCodeFilter, ("queued_at", DayRangeFilter), UserFilter)
    list_select_related = ("batch__user",)
    search_fields = ("original_name", "batch__name", "batch__user__username")
    search_help_text = gettext_lazy("Image file, batch or user name")
    id_fields = ("id", "batch_id")
    ordering = ("-queued_at", "-id")
    sortable_by = ("queued",)
    actions = ("retry", "cancel")
    fields = (
        "player",
        "of_batch",
        "owner",
        "original_name",
        "size",
        "state",
        "problem",
        "remarks",
        "runs",
        "engine_shown",
        "render_process",
        "queued",
        "started",
        "finished",
        "id",
    )
    readonly_fields = (
        "engine_shown",
        "render_process",
        "queued",
        "started",
        "finished",
        "player",
        "of_batch",
        "owner",
        "size",
        "state",
        "problem",
        "remarks",
        "runs",
    )
    change_form_template = "admin/videos/videoitem/change_form.html"

    @admin.display(description="")
    def preview(self, item: VideoItem) -> str:
        return markup.thumbnail(item.thumbnail, item.original_name)

    @admin.display(description=gettext_lazy("engine"))
    def engine_shown(self, item: VideoItem) -> str:
        """What made the video; while there is none, where it waits or runs."""
        return item.made_by or name_of(item.lane.engine if item.lane else "")

    @admin.display(description=gettext_lazy("Video"))
    def player(self, item: VideoItem) -> str:
        return markup.player(item)

    @admin.display(description=gettext_lazy("batch"))
    def of_batch(self, item: VideoItem) -> str:
        return markup.link(Batch, item.batch_id, item.batch.name)

    @admin.display(description=gettext_lazy("user"))
    def owner(self, item: VideoItem) -> str:
        return markup.link(User, item.batch.user_id, item.batch.user.username)

    @admin.display(description=gettext_lazy("status"))
    def state(self, item: VideoItem) -> str:
        text = str(item.get_status_display())
        if item.status == ItemStatus.PROCESSING:
            text = f"{text} {item.progress} %"
        return markup.badge(item.status, text)

    @admin.display(description=gettext_lazy("error"))
    def problem(self, item: VideoItem) -> str:
        if not item.error_code:
            return ""
        sentence = catalogue.failure(item.error_code, item.error_params, item.error_msg)
        return markup.error(item.error_code, sentence)

    @admin.display(description=gettext_lazy("Remarks"))
    def remarks(self, item: VideoItem) -> str:
        return markup.lines(catalogue.note(note) for note in item.notes)

    @admin.display(description=gettext_lazy("Image size"))
    def size(self, item: VideoItem) -> str:
        return f"{item.width} × {item.height}"

    @admin.display(description=gettext_lazy("Runs and attempts"))
    def runs(self, item: VideoItem) -> str:
        text = _("Paid run %(run)d for %(price)d, attempt %(attempt)d")
        return text % {"run": item.run, "price": item.price, "attempt": item.attempt}

    @admin.display(description=gettext_lazy("Attempts"))
    def attempts(self, item: VideoItem) -> int:
        return item.attempt

    @admin.display(description=gettext_lazy("Rendered by"))
    def render_process(self, item: VideoItem) -> str:
        return item.worker

    @admin.display(description=gettext_lazy("Queued at"), ordering="queued_at")
    def queued(self, item: VideoItem) -> str:
        return markup.moment(item.queued_at)

    @admin.display(description=gettext_lazy("Started at"))
    def started(self, item: VideoItem) -> str:
        return markup.moment(item.started_at)

    @admin.display(description=gettext_lazy("Finished at"))
    def finished(self, item: VideoItem) -> str:
        return markup.moment(item.finished_at)

    # --- Buttons and actions -----------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:item_id>/retry/", view(self.retry_view), name="videos_videoitem_retry"),
            path("<uuid:item_id>/cancel/", view(self.cancel_view), name="videos_videoitem_cancel"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        item = self.get_object(request, object_id)
        buttons = {
            "can_retry": bool(item and item.status in RETRYABLE),
            "can_cancel": bool(item and item.status not in FINAL_STATUSES),
        }
        return super().change_view(request, object_id, form_url, buttons)

    def retry_view(self, request: HttpRequest, item_id: UUID) -> HttpResponse:
        """Retry one video."""
        return self._button(request, item_id, self._retry)

    def cancel_view(self, request: HttpRequest, item_id: UUID) -> HttpResponse:
        """Cancel one video."""
        return self._button(request, item_id, self._cancel)

    def _button(
        self, request: HttpRequest, item_id: UUID, press: Callable[[HttpRequest, Iterable[VideoItem]], None]
    ) -> HttpResponse:
        if refusal := only_post(request):
            return refusal
        press(request, [self.required_object(request, str(item_id))])
        return self.back_to(item_id)

    @admin.action(description=gettext_lazy("Retry (charges their owners)"), permissions=["view"])
    def retry(self, request: HttpRequest, queryset: "QuerySet[VideoItem]") -> None:
        if not too_many(request, queryset):
            self._retry(request, queryset.select_related("batch__user"))

    @admin.action(description=gettext_lazy("Cancel (refunds their owners)"), permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: "QuerySet[VideoItem]") -> None:
        if not too_many(request, queryset):
            self._cancel(request, queryset.select_related("batch__user"))

    def _retry(self, request: HttpRequest, chosen: Iterable[VideoItem]) -> None:
        count = self._each(request, chosen, batches.item_retry, _("Queued again."))
        text = ngettext("%(count)d video was queued again.", "%(count)d videos were queued again.", count)
        if count:
            messages.success(request, text % {"count": count})

    def _cancel(self, request: HttpRequest, chosen: Iterable[VideoItem]) -> None:
        count = self._each(request, chosen, batches.item_cancel, _("Cancelled."))
        text = ngettext(
            "%(count)d video was cancelled and refunded.",
            "%(count)d videos were cancelled and refunded.",
            count,
        )
        if count:
            messages.success(request, text % {"count": count})

    def _each(
        self, request: HttpRequest, chosen: Iterable[VideoItem], press: Callable[..., None], log: str
    ) -> int:
        count = 0
        for item in list(chosen):
            with refusals_shown(request, item.original_name):
                press(item=item, acting_user=administrator(request))
                self.log_change(request, item, log)
                count += 1
        return count
