"""Users: looked up, made, (de)activated, given passwords and credits."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import CreditEntry, Session, User
from accounts.services import users
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
from adminpanel.admin.filters import DayRangeFilter
from adminpanel.admin.site import site
from adminpanel.admin.user_forms import SET, CreditsForm, GroupForm, PasswordForm, UserCreateForm
from adminpanel.services.bulk_credits import credits_adjust, credits_set
from videos.models import Batch

NEWEST_ENTRIES = 10


@admin.register(User, site=site)
class UserAdmin(ReadOnlyAdmin):
    """Nothing is edited in place: every change is a button, an action or a form of its own."""

    list_display = ("username", "balance", "role", "state", "group", "created_at")
    list_filter = ("is_admin", "is_active", "group", ("created_at", DayRangeFilter))
    list_select_related = ("group",)
    search_fields = ("username_key",)
    search_help_text = gettext_lazy("Part of a user name")
    ordering = ("-created_at", "-id")
    sortable_by = ("username", "balance", "created_at")
    actions = ("change_credits", "activate", "deactivate", "log_out")
    fields = (
        "username",
        "balance",
        "role",
        "state",
        "group",
        "live_sessions",
        "created_at",
        "id",
        "newest_entries",
    )
    readonly_fields = ("balance", "role", "state", "live_sessions", "newest_entries")
    change_form_template = "admin/accounts/user/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    @admin.display(description=gettext_lazy("Credits"), ordering="credits")
    def balance(self, user: User) -> str:
        return f"{user.credits:,}"

    @admin.display(description=gettext_lazy("Role"))
    def role(self, user: User) -> str:
        return _("Administrator") if user.is_admin else _("User")

    @admin.display(description=gettext_lazy("State"))
    def state(self, user: User) -> str:
        if user.is_active:
            return markup.badge("completed", _("Active"))
        return markup.badge("cancelled", _("Deactivated"))

    @admin.display(description=gettext_lazy("Logged-in sessions"))
    def live_sessions(self, user: User) -> int:
        return Session.objects.filter(user=user, revoked_at=None).count()

    @admin.display(description=gettext_lazy("Newest credit entries"))
    def newest_entries(self, user: User) -> str:
        entries = CreditEntry.objects.filter(user=user).order_by("-number")[:NEWEST_ENTRIES]
        shown = [
            markup.line(markup.amount(entry.amount), entry.get_kind_display(), entry.note, entry.created_at)
            for entry in entries
        ]
        return markup.lines([*shown, markup.list_link(CreditEntry, f"user={user.pk}", _("The whole ledger"))])

    # --- Adding ------------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields if obj else ("username", "password", "first_credits", "is_admin")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = UserCreateForm
            kwargs["fields"] = UserCreateForm.Meta.fields
        return super().get_form(request, obj, change, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        with refusals_shown(request):  # what the form could not see, such as a name taken a moment ago
            return super().add_view(request, form_url, {"show_save_and_continue": False})
        return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data["password"]
        password = given or users.generate_password()
        created = users.user_create(
            username=obj.username,
            password=password,
            credits=form.cleaned_data["first_credits"],
            is_admin=obj.is_admin,
            acting_user=administrator(request),
        )
        obj.pk = created.pk
        obj.refresh_from_db()
        if not given:
            text = _("Password of %(name)s, shown only this once: %(password)s")
            messages.warning(request, text % {"name": obj.username, "password": password})

    # --- Buttons -----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("credits/", view(self.credits_view), name="accounts_user_credits"),
            path("<uuid:user_id>/password/", view(self.password_view), name="accounts_user_password"),
            path("<uuid:user_id>/group/", view(self.group_view), name="accounts_user_group"),
            path("<uuid:user_id>/active/", view(self.active_view), name="accounts_user_active"),
            path("<uuid:user_id>/log-out/", view(self.log_out_view), name="accounts_user_log_out"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        links = {"batches_url": f"{batch_list()}?user={object_id}"}
        return super().change_view(request, object_id, form_url, links)

    def password_view(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """Set somebody else's password; their sessions end. For one's own the old one is asked for."""
        user: User = self.required_object(request, str(user_id))
        actor = administrator(request)
        if user.pk == actor.pk:
            return HttpResponseRedirect(reverse("admin:password_change", current_app=self.admin_site.name))
        form = PasswordForm(request.POST or None, user=user)
        if request.method == "POST" and form.is_valid():
            with refusals_shown(request):
                users.password_set(
                    user=user, new_password=form.cleaned_data["new_password"], acting_user=actor
                )
                self.log_change(request, user, _("Password set."))
                messages.success(request, _("The password was set; every session of the user has ended."))
                return self.back_to(user.pk)
        title = _("Set the password of %(name)s") % {"name": user.username}
        return self.page(
            request, "admin/accounts/user/password.html", title, {"form": form, "original": user}
        )

    def group_view(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """Put somebody into a group, or into none."""
        user: User = self.required_object(request, str(user_id))
        form = GroupForm(request.POST or None, initial={"group": user.group_id})
        if request.method == "POST" and form.is_valid():
            group = form.cleaned_data["group"]
            with refusals_shown(request):  # the group was deleted since the page was opened
                users.user_set_group(user=user, group=group, acting_user=administrator(request))
                self.log_change(request, user, _("Group changed."))
                messages.success(request, _("The group was changed."))
            return self.back_to(user.pk)
        title = _("The group of %(name)s") % {"name": user.username}
        return self.page(request, "admin/accounts/user/group.html", title, {"form": form, "original": user})

    def active_view(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """Activate or deactivate, by the value of `active`."""
        if refusal := only_post(request):
            return refusal
        user: User = self.required_object(request, str(user_id))
        self._set_active(request, [user], request.POST.get("active") == "1")
        return self.back_to(user.pk)

    def log_out_view(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """End every API session of a user."""
        if refusal := only_post(request):
            return refusal
        user: User = self.required_object(request, str(user_id))
        self._log_out(request, [user])
        return self.back_to(user.pk)

    # --- Credits -----------------------------------------------------------------------------------

    def credits_view(self, request: HttpRequest) -> HttpResponse:
        """The form that changes credits, for the users named in `users`."""
        named = request.POST.get("users") or request.GET.get("users", "")
        chosen = list(User.objects.filter(pk__in=unpacked(named)).order_by("username"))
        if not chosen:
            messages.error(request, _("There is no such user."))
            return HttpResponseRedirect(self.page_url("changelist"))
        form = CreditsForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._change_credits(request, chosen, form):
            if len(chosen) == 1:
                return self.back_to(chosen[0].pk)
            return HttpResponseRedirect(self.page_url("changelist"))
        return self._credits_page(request, chosen, form)

    def _credits_page(
        self, request: HttpRequest, chosen: Sequence[User], form: CreditsForm
    ) -> TemplateResponse:
        context = {
            "form": form,
            "chosen": chosen,
            "packed": packed(chosen),
            "form_action": self.page_url("credits"),
        }
        title = _("Change credits")
        return self.page(request, "admin/accounts/user/credits.html", title, context)

    def _change_credits(self, request: HttpRequest, chosen: Sequence[User], form: CreditsForm) -> bool:
        data, actor = form.cleaned_data, administrator(request)
        reason = data["reason"]

        def log(user: User, balance: int) -> None:
            text = _("Credits: %(before)d → %(after)d. Reason: %(reason)s")
            values = {"before": user.credits, "after": balance, "reason": reason}
            self.log_change(request, user, text % values)

        common: dict[str, Any] = {
            "users": chosen,
            "reason": reason,
            "acting_user": actor,
            "key": data["key"],
            "on_changed": log,
        }
        with refusals_shown(request):
            if data["change"] == SET:
                count = credits_set(new_credits=data["amount"], **common)
            else:
                count = credits_adjust(delta=data["amount"], **common)
            text = ngettext(
                "The credits of %(count)d user were changed.",
                "The credits of %(count)d users were changed.",
                count,
            )
            messages.success(request, text % {"count": count})
            return True
        return False

    # --- Actions on a selection --------------------------------------------------------------------

    @admin.action(description=gettext_lazy("Change credits …"), permissions=["view"])
    def change_credits(self, request: HttpRequest, queryset: "QuerySet[User]") -> HttpResponse | None:
        if too_many(request, queryset):
            return None
        return self._credits_page(request, list(queryset.order_by("username")), CreditsForm())

    @admin.action(description=gettext_lazy("Activate"), permissions=["view"])
    def activate(self, request: HttpRequest, queryset: "QuerySet[User]") -> None:
        if not too_many(request, queryset):
            self._set_active(request, queryset, True)

    @admin.action(description=gettext_lazy("Deactivate"), permissions=["view"])
    def deactivate(self, request: HttpRequest, queryset: "QuerySet[User]") -> None:
        if not too_many(request, queryset):
            self._set_active(request, queryset, False)

    @admin.action(description=gettext_lazy("Log out everywhere"), permissions=["view"])
    def log_out(self, request: HttpRequest, queryset: "QuerySet[User]") -> None:
        if not too_many(request, queryset):
            self._log_out(request, queryset)

    def _set_active(self, request: HttpRequest, chosen: "Sequence[User] | QuerySet[User]", on: bool) -> None:
        count = 0
        for user in chosen:
            if user.is_active == on:
                continue
            with refusals_shown(request, user.username):
                users.user_set_active(user=user, is_active=on, acting_user=administrator(request))
                self.log_change(request, user, _("Activated.") if on else _("Deactivated."))
                count += 1
        if on:
            text = ngettext("%(count)d user was activated.", "%(count)d users were activated.", count)
        else:
            text = ngettext(
                "%(count)d user was deactivated and logged out.",
                "%(count)d users were deactivated and logged out.",
                count,
            )
        if count:
            messages.success(request, text % {"count": count})

    def _log_out(self, request: HttpRequest, chosen: "Sequence[User] | QuerySet[User]") -> None:
        ended = 0
        for user in chosen:
            ended += users.sessions_end(user=user, acting_user=administrator(request))
            self.log_change(request, user, _("Logged out everywhere."))
        text = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", ended)
        messages.success(request, text % {"count": ended})


def batch_list() -> str:
    """The address of the list of batches."""
    opts = Batch._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
