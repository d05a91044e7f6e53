"""Rules that say which engine makes a batch."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminpanel.admin.base import SavedByService, administrator
from adminpanel.admin.site import site
from videos.engine_names import all_engines
from videos.models import EngineRule
from videos.services.engine_rules import check_engines, rule_delete, rule_save
from zhiying.kernel.errors import InvalidError

if TYPE_CHECKING:
    _RuleModelForm = forms.ModelForm[EngineRule]
else:
    _RuleModelForm = forms.ModelForm


class RuleForm(_RuleModelForm):
    """Engines are chosen of those that the installation has."""

    class Meta:
        model = EngineRule
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = all_engines()
        if self.instance.engine and self.instance.engine not in names:
            names.append(self.instance.engine)  # shown as it is, and refused when it is saved
        self.fields["engine"] = forms.ChoiceField(label=_("engine"), choices=[(name, name) for name in names])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        rule = EngineRule(engine=cleaned.get("engine", ""), fallbacks=cleaned.get("fallbacks", ""))
        try:
            check_engines(rule)
        except InvalidError as error:
            field = "fallbacks" if rule.engine in all_engines() else "engine"
            raise ValidationError({field: error.detail}) from error
        return cleaned


@admin.register(EngineRule, site=site)
class EngineRuleAdmin(SavedByService):
    """Edited in place; the service does the saving and records who did it."""

    form = RuleForm
    list_display = (
        "position",
        "engine",
        "fallbacks",
        "offered",
        "group",
        "min_audio_s",
        "max_audio_s",
        "prompt",
        "enabled",
    )
    list_display_links = ("position", "engine")
    list_select_related = ("group",)
    fieldsets = (
        (None, {"fields": ("position", "enabled")}),
        (_("Which batches"), {"fields": ("offered", "group", "min_audio_s", "max_audio_s", "prompt")}),
        (_("Which engine"), {"fields": ("engine", "fallbacks")}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        rule_save(rule=obj, acting_user=administrator(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        rule_delete(rule=obj, acting_user=administrator(request))
