"""What the account calls take and give."""

from typing import Any

from rest_framework import serializers

from accounts.models import EntryKind
from zhiying.kernel.api.fields import DayField
from zhiying.kernel.api.paging import PageOutput, PageQuery
from zhiying.kernel.api.shapes import Shape, shown


class LoginInput(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=512, trim_whitespace=False)
    otp = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text="A code of the authenticator, or a recovery code; asked for with `otp_required`.",
    )


class RefreshInput(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=4096)


class ChangePasswordInput(serializers.Serializer[Any]):
    old_password = serializers.CharField(max_length=512, trim_whitespace=False)
    new_password = serializers.CharField(max_length=512, trim_whitespace=False)


class PasswordInput(serializers.Serializer[Any]):
    password = serializers.CharField(max_length=512, trim_whitespace=False)


class TotpCodeInput(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=64)


class TotpRemoveInput(PasswordInput, TotpCodeInput):
    """Both proofs: whoever has one of them only cannot remove the other."""


class TotpStatusOutput(serializers.Serializer[Any]):
    policy = serializers.ChoiceField(choices=["off", "optional", "required"])
    enabled = serializers.BooleanField()
    recovery_codes_left = serializers.IntegerField()


class TotpEnrolmentOutput(serializers.Serializer[Any]):
    """Shown once."""

    secret = serializers.CharField(help_text="For typing into the authenticator.")
    uri = serializers.CharField(help_text="`otpauth://` address of the same.")
    qr_svg = serializers.CharField(help_text="The address as a QR code, an SVG document.")


class RecoveryCodesOutput(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(
        child=serializers.CharField(), help_text="Each stands in for the authenticator once; shown only here."
    )


class UserOutput(Shape):
    id = shown(serializers.UUIDField(), lambda user: str(user.pk))
    username = shown(serializers.CharField(), lambda user: user.username)
    credits = shown(serializers.IntegerField(), lambda user: user.credits)
    isAdmin = is_admin = shown(serializers.BooleanField(), lambda user: user.is_admin)  # noqa: N815
    is_active = shown(serializers.BooleanField(), lambda user: user.is_active)
    group = shown(serializers.UUIDField(allow_null=True), lambda user: user.group_id)
    created_at = shown(serializers.DateTimeField(), lambda user: user.created_at)


class TokensOutput(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="Access token for `Authorization: Bearer`.")
    refresh = serializers.CharField(help_text="Refresh token; good for one use.")
    expires_in = serializers.IntegerField(help_text="Seconds until `token` expires.")
    user_info = UserOutput()


class LedgerQuery(PageQuery):
    kind = serializers.ChoiceField(choices=EntryKind.choices, required=False)
    date_from = DayField(required=False)
    date_to = DayField(required=False)


class EntryOutput(Shape):
    id = shown(serializers.UUIDField(), lambda entry: str(entry.id))
    kind = shown(serializers.ChoiceField(choices=EntryKind.choices), lambda entry: entry.kind)
    amount = shown(
        serializers.IntegerField(help_text="Signed: charges are negative."), lambda entry: entry.amount
    )
    balance_after = shown(serializers.IntegerField(), lambda entry: entry.balance_after)
    batch_id = shown(serializers.UUIDField(allow_null=True), lambda entry: entry.batch_id)
    item_id = shown(serializers.UUIDField(allow_null=True), lambda entry: entry.item_id)
    note = shown(serializers.CharField(), lambda entry: entry.note)
    created_at = shown(serializers.DateTimeField(), lambda entry: entry.created_at)


class LedgerOutput(PageOutput):
    entries = EntryOutput(many=True)


user_body = UserOutput.body
