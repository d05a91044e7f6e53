"""What the administrators' calls take and give."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.serializers import UserOutput
from accounts.services.credits import MAX_CREDITS, MAX_REASON_CHARS
from videos.api.serializers import BatchListQuery
from zhiying.kernel.api.paging import PageOutput, PageQuery
from zhiying.kernel.api.shapes import Shape, shown
from zhiying.kernel.windows import SEARCH_HELP

USER_ORDERINGS = ("created_at", "-created_at", "username", "-username", "credits", "-credits")
BATCH_ORDERINGS = ("created_at", "-created_at", "image_count", "-image_count", "name", "-name")


class UserListQuery(PageQuery):
    search = serializers.CharField(required=False, max_length=150, help_text=SEARCH_HELP)
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)
    is_admin = serializers.BooleanField(required=False, allow_null=True, default=None)
    ordering = serializers.ChoiceField(choices=USER_ORDERINGS, default="-created_at")


class UserListOutput(PageOutput):
    users = UserOutput(many=True)


class UserCreateInput(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    credits = serializers.IntegerField(min_value=0, max_value=MAX_CREDITS, required=False)
    is_admin = serializers.BooleanField(default=False)
    password = serializers.CharField(
        max_length=512,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Generated when there is none.",
    )


class UserCreatedOutput(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    user = UserOutput()
    password = serializers.CharField(required=False, help_text="The generated one; shown only here.")


class UserChangeInput(serializers.Serializer[Any]):
    """What is not sent stays as it is."""

    is_active = serializers.BooleanField(required=False)
    group = serializers.UUIDField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(_("Send is_active, group, or both."))
        return attrs


class PasswordResetInput(serializers.Serializer[Any]):
    password = serializers.CharField(
        max_length=512,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Generated when there is none.",
    )


class PasswordResetOutput(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    password = serializers.CharField(required=False, help_text="The generated one; shown only here.")


class LoggedOutOutput(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    count = serializers.IntegerField(help_text="Sessions of the API that ended.")


class GroupOutput(Shape):
    id = shown(serializers.UUIDField(), lambda group: str(group.pk))
    name = shown(serializers.CharField(), lambda group: group.name)
    queue_weight = shown(serializers.IntegerField(), lambda group: group.queue_weight)
    retention_days = shown(serializers.IntegerField(allow_null=True), lambda group: group.retention_days)
    quota_mb = shown(serializers.IntegerField(allow_null=True), lambda group: group.quota_mb)


class GroupListOutput(serializers.Serializer[Any]):
    groups = GroupOutput(many=True)


class CreditsChangeInput(serializers.Serializer[Any]):
    """Either `new_credits`, or `delta` with a `reason`."""

    new_credits = serializers.IntegerField(min_value=0, max_value=MAX_CREDITS, required=False)
    delta = serializers.IntegerField(min_value=-MAX_CREDITS, max_value=MAX_CREDITS, required=False)
    reason = serializers.CharField(max_length=MAX_REASON_CHARS, required=False, allow_blank=True, default="")


class CreditsChangedOutput(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    user_id = serializers.UUIDField()
    credits = serializers.IntegerField()


class AllBatchesQuery(BatchListQuery):
    user = serializers.UUIDField(required=False)
    ordering = serializers.ChoiceField(choices=BATCH_ORDERINGS, default="-created_at")


class UsageQuery(serializers.Serializer[Any]):
    days = serializers.IntegerField(min_value=1, max_value=366, default=30)


class UsageDayOutput(serializers.Serializer[Any]):
    date = serializers.DateField()
    videos = serializers.IntegerField()
    failed = serializers.IntegerField()
    credits_charged = serializers.IntegerField()
    credits_refunded = serializers.IntegerField()


class FailureOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    count = serializers.IntegerField()


class BusyUserOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    username = serializers.CharField()
    videos = serializers.IntegerField()
    credits = serializers.IntegerField()


class UsageTotalsOutput(serializers.Serializer[Any]):
    users = serializers.IntegerField()
    active_users = serializers.IntegerField(help_text="With a batch in these days.")
    batches = serializers.IntegerField()
    videos = serializers.IntegerField()
    failed = serializers.IntegerField()
    credits_charged = serializers.IntegerField()
    credits_refunded = serializers.IntegerField()


class UsageOutput(serializers.Serializer[Any]):
    days = UsageDayOutput(many=True)
    failures = FailureOutput(many=True)
    users = BusyUserOutput(many=True)
    totals = UsageTotalsOutput()
