"""The site itself: its name, who may enter, its first page."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from accounts.models import User
from accounts.services import login, second_factor, users
from accounts.services.login_limits import TooManyAttemptsError
from accounts.services.sessions import WrongCredentialsError
from adminpanel.admin import entry
from adminpanel.services.usage import usage
from videos.engine_names import all_engines
from videos.scheduling.figures import queue_lengths
from zhiying.kernel.client_address import client_ip
from zhiying.kernel.errors import DomainError
from zhiying.kernel.origin import current_origin

SECTIONS = ("accounts", "videos")
"""Applications in the order in which they are listed."""
OVERVIEW_DAYS = 30


class LoginForm(AdminAuthenticationForm):
    """Asks the same service as the API, so that both ways in share limits and second factor."""

    otp = forms.CharField(
        label=_("Code of the authenticator"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def clean(self) -> dict[str, Any]:
        """Raises `TooManyAttemptsError`, which the site answers with a page."""
        data = self.cleaned_data
        if "username" in data and "password" in data and self.request is not None:
            try:
                user = login.login(
                    username=data["username"],
                    password=data["password"],
                    otp=data.get("otp", ""),
                    address=client_ip(self.request),
                )
            except WrongCredentialsError as error:
                raise self.get_invalid_login_error() from error
            except (login.OtpRequiredError, login.OtpWrongError) as error:
                raise ValidationError(error.detail, code=error.code) from error
            self.confirm_login_allowed(user)
            self.user_cache = user
        return data

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if second_factor.is_missing(user):
            raise ValidationError(
                _("Set up a second factor in the web application first: under your account.")
            )


class OwnPasswordForm(AdminPasswordChangeForm):
    """Changes the password through the services: guesses at the old one count, and other sessions end."""

    def __init__(self, *args: Any, keep_session: UUID | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keep_session = keep_session

    def clean_old_password(self) -> str:
        old = str(self.cleaned_data["old_password"])
        try:
            login.confirm_password(
                user=self.user, password=old, address=current_origin().client_address or ""
            )
        except DomainError as error:
            raise ValidationError(error.detail, code=error.code) from error
        return old

    def save(self, commit: bool = True) -> User:
        user: User = self.user
        users.password_set(
            user=user,
            new_password=self.cleaned_data["new_password1"],
            acting_user=user,
            keep_session=self.keep_session,
        )
        return user


class OwnPasswordView(PasswordChangeView):
    """Keeps the session it is used in, and the web session that one came from."""

    form_class = OwnPasswordForm

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except DomainError as error:
            form.add_error(None, error.detail)
            return self.form_invalid(form)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "keep_session": entry.web_session_of(self.request)}


class ZhiyingAdminSite(admin.AdminSite):
    """Shows what is registered here and nothing that other packages would add by themselves."""

    site_title = _("ZhiYing AI")
    site_header = _("ZhiYing AI administration")
    index_title = _("Overview")
    site_url = None  # the frame has a link of its own to the web application
    empty_value_display = "–"
    login_form = LoginForm
    login_template = "admin/login_with_code.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Administrators, with a second factor where it is required, while they are logged in."""
        entry.end_with_web_session(request)
        user = request.user
        allowed = super().has_permission(request)
        return allowed and isinstance(user, User) and second_factor.may_administer(user)

    def get_urls(self) -> list[Any]:
        return [path("enter/", csrf_exempt(entry.enter), name="enter"), *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The log-in page, or after too many attempts one that says so, with `Retry-After`."""
        asks = {"asks_for_code": settings.ADMIN_TOTP != second_factor.OFF}
        try:
            return super().login(request, {**asks, **(extra_context or {})})
        except TooManyAttemptsError as error:
            frame = {**self.each_context(request), "title": gettext("Log-in is locked for a while")}
            page = render(
                request, "admin/locked_out.html", {**frame, "problem": error.detail}, status=error.status
            )
            for name, value in error.headers.items():
                page[name] = value
            return page

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page, with figures of the last days beside the list of what can be administered."""
        figures = {
            "overview": usage(OVERVIEW_DAYS)["totals"],
            "overview_days": OVERVIEW_DAYS,
            "queue": queue_lengths(),
            "engine": ", ".join(all_engines()),
        }
        return super().index(request, {**figures, **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: SECTIONS.index(app["app_label"]))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """An administrator's own password."""
        request.current_app = self.name
        view = OwnPasswordView.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)


site = ZhiyingAdminSite(name="admin")
