"""What the account calls take and give."""

from typing import Any

from rest_framework import serializers

from accounts.models import EntryKind
from zhiying.kernel.api.fields import DayField
from zhiying.kernel.api.paging import PageQuery


class LoginInput(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=512, trim_whitespace=False)


class RefreshInput(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=4096)


class ChangePasswordInput(serializers.Serializer[Any]):
    old_password = serializers.CharField(max_length=512, trim_whitespace=False)
    new_password = serializers.CharField(max_length=512, trim_whitespace=False)


class UserOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    username = serializers.CharField()
    credits = serializers.IntegerField()
    isAdmin = serializers.BooleanField()  # noqa: N815  (the contract's name)
    is_admin = serializers.BooleanField()
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class TokensOutput(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="Access token for `Authorization: Bearer`.")
    refresh = serializers.CharField(help_text="Refresh token; good for one use.")
    expires_in = serializers.IntegerField(help_text="Seconds until `token` expires.")
    user_info = UserOutput()


class LedgerQuery(PageQuery):
    kind = serializers.ChoiceField(choices=EntryKind.choices, required=False)
    date_from = DayField(required=False)
    date_to = DayField(required=False)


class EntryOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    amount = serializers.IntegerField(help_text="Signed: charges are negative.")
    balance_after = serializers.IntegerField()
    batch_id = serializers.UUIDField(allow_null=True)
    item_id = serializers.UUIDField(allow_null=True)
    note = serializers.CharField()
    created_at = serializers.DateTimeField()


class LedgerOutput(serializers.Serializer[Any]):
    entries = EntryOutput(many=True)
    total = serializers.IntegerField()
