"""Credentials of engines: set anew or removed; no page shows one."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminpanel.admin import markup
from adminpanel.admin.base import FilteredAdmin, administrator
from adminpanel.admin.site import site
from engines.registry import credential_use, remote_engine_paths
from videos.models import CredentialUse, EngineCredential
from videos.services.credentials import (
    MAX_CHARS,
    check_credential,
    remove_credential,
    set_credential,
    status_of,
)
from zhiying.kernel.errors import InvalidError

if TYPE_CHECKING:
    _CredentialModelForm = forms.ModelForm[EngineCredential]
else:
    _CredentialModelForm = forms.ModelForm


def _engines() -> list[tuple[str, str]]:
    taking = {name for name in remote_engine_paths() if credential_use(name) != "none"}
    return [(name, name) for name in sorted({*taking, settings.GENERATION_ENGINE})]


class CredentialForm(_CredentialModelForm):
    """The field is empty whenever the page is opened, and after every mistake."""

    new_credential = forms.CharField(
        label=_("new credential"),
        max_length=MAX_CHARS,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
        help_text=_("Replaces the one there is. It is stored encrypted, and shown to nobody again."),
    )

    class Meta:
        model = EngineCredential
        fields = ("engine",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "engine" in self.fields:
            self.fields["engine"] = forms.ChoiceField(label=_("engine"), choices=_engines())

    def clean_new_credential(self) -> str:
        try:
            return check_credential(self.cleaned_data["new_credential"])
        except InvalidError as error:
            raise ValidationError(error.detail, code=error.code) from error


@admin.register(EngineCredential, site=site)
class EngineCredentialAdmin(FilteredAdmin):
    form = CredentialForm
    list_display = ("engine", "set_at", "set_by")  # what asks for more rows is on a row's own page
    actions = None
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        known = ("set_at", "set_by", "last_use") if obj else ()
        return ("engine", *known, "new_credential")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("engine", "set_at", "set_by", "last_use") if obj else ()

    @admin.display(description=_("its last use"))
    def last_use(self, credential: EngineCredential) -> str:
        status = status_of(credential.engine)
        if not status.readable:
            return markup.badge("failed", _("cannot be read any more"))
        kind = {CredentialUse.Verdict.ACCEPTED: "completed", CredentialUse.Verdict.REFUSED: "failed"}
        return markup.badge(kind.get(status.last_use, "pending"), status.last_use.label)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        new, actor = form.cleaned_data["new_credential"], administrator(request)
        warning = set_credential(engine=obj.engine, new=new, acting_user=actor)
        if warning:
            messages.warning(request, warning)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove_credential(engine=obj.engine, acting_user=administrator(request))
