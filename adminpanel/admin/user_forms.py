"""Forms on users: made, given a password, given or taken credits."""

from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User, UserGroup
from accounts.services.credits import MAX_CREDITS, MAX_REASON_CHARS
from accounts.services.users import check_username

if TYPE_CHECKING:
    _UserModelForm = forms.ModelForm[User]
else:
    _UserModelForm = forms.ModelForm

SET, ADJUST = "set", "adjust"


class NewPasswordField(forms.CharField):
    """A password as it is typed, spaces included."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"})
        super().__init__(strip=False, max_length=512, widget=widget, **kwargs)


class UserCreateForm(_UserModelForm):
    """A new user; the service that makes them checks again and writes the ledger."""

    password = NewPasswordField(
        label=_("Password"), required=False, help_text=_("Left empty, one is generated and shown once.")
    )
    first_credits = forms.IntegerField(
        label=_("Credits to begin with"), min_value=0, max_value=MAX_CREDITS, initial=0
    )

    class Meta:
        model = User
        fields = ("username", "is_admin")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["first_credits"].initial = settings.SIGNUP_CREDITS

    def clean_username(self) -> str:
        username = str(User.normalize_username(self.cleaned_data["username"].strip()))
        check_username(username)
        if User.objects.named(username) is not None:
            raise ValidationError(gettext("A user with that name already exists."))
        return username

    def clean_password(self) -> str:
        password = cast("str", self.cleaned_data["password"])
        if password:
            validate_password(password, User(username=self.cleaned_data.get("username", "")))
        return password


class PasswordForm(forms.Form):
    """A new password for somebody, typed twice."""

    new_password = NewPasswordField(label=_("New password"))
    again = NewPasswordField(label=_("New password again"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        # Rendered per request, because the rules are written in the language of the page.
        self.fields["new_password"].help_text = SafeString(password_validators_help_text_html())

    def clean_new_password(self) -> str:
        password = cast("str", self.cleaned_data["new_password"])
        validate_password(password, self._user)
        return password

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "new_password" in data and data.get("again") != data["new_password"]:
            self.add_error("again", gettext("The two passwords differ."))
        return data


class GroupForm(forms.Form):
    """The group of a user."""

    group = forms.ModelChoiceField(
        label=_("Group"),
        queryset=UserGroup.objects.order_by("name"),
        required=False,
        empty_label=_("None: the settings of the installation"),
    )


class CreditsForm(forms.Form):
    """A change of credits. `key` is drawn with the page, so that sending it twice changes them once."""

    change = forms.ChoiceField(
        label=_("Change"),
        choices=[
            (ADJUST, _("Add or take away (a negative number takes away)")),
            (SET, _("Set the balance to this number")),
        ],
        initial=ADJUST,
        widget=forms.RadioSelect,
    )
    amount = forms.IntegerField(
        label=_("Credits"),
        min_value=-MAX_CREDITS,
        max_value=MAX_CREDITS,
        widget=forms.NumberInput(attrs={"class": "vIntegerField", "autofocus": True}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON_CHARS,
        help_text=_("Kept in the ledger with your name; the user can read it."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        error_messages={"required": _("Give a reason: it is kept with the change.")},
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput, initial=lambda: str(uuid4()))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        amount = data.get("amount")
        if amount is not None and data.get("change") == SET and amount < 0:
            self.add_error("amount", ValidationError(gettext("A balance cannot be negative.")))
        if amount == 0 and data.get("change") == ADJUST:
            self.add_error("amount", ValidationError(gettext("The change must not be zero.")))
        return data
