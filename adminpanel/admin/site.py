"""The site itself: its name, who may enter, its first page."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services import users
from adminpanel.services.usage import usage
from videos.scheduling.figures import queue_lengths

SECTIONS = ("accounts", "videos", "axes")
"""Applications in the order in which they are listed."""
OVERVIEW_DAYS = 30


class LoginForm(AdminAuthenticationForm):
    """Spells each name in one way, so that changing its case does not buy more attempts."""

    def clean_username(self) -> str:
        return str(User.normalize_username(self.cleaned_data["username"].strip())).lower()


class OwnPasswordForm(AdminPasswordChangeForm):
    """Changes the password through the service, which ends the user's API sessions."""

    def save(self, commit: bool = True) -> User:
        user: User = self.user
        users.password_set(user=user, new_password=self.cleaned_data["new_password1"], acting_user=user)
        return user


class ZhiyingAdminSite(admin.AdminSite):
    """Shows what is registered here and nothing that other packages would add by themselves."""

    site_title = _("ZhiYing AI")
    site_header = _("ZhiYing AI administration")
    index_title = _("Overview")
    empty_value_display = "–"
    login_form = LoginForm

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page, with figures of the last days beside the list of what can be administered."""
        figures = {
            "overview": usage(OVERVIEW_DAYS)["totals"],
            "overview_days": OVERVIEW_DAYS,
            "queue": queue_lengths(),
            "engine": settings.GENERATION_ENGINE,
        }
        return super().index(request, {**figures, **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: SECTIONS.index(app["app_label"]))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """An administrator's own password."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)


site = ZhiyingAdminSite(name="admin")
