"""The audit log, for administrators to read and search."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ActingAs, AuditAction, AuditEntry
from accounts.services import audit_log
from adminpanel.api.permissions import IsAdministrator
from zhiying.kernel.api.fields import DayField
from zhiying.kernel.api.paging import validated_query

MAX_ENTRIES = 200


class AuditQuery(serializers.Serializer[Any]):
    search = serializers.CharField(
        required=False, max_length=150, help_text="The beginning of a name: of the target or of who acted."
    )
    actor = serializers.UUIDField(required=False, help_text="Who acted.")
    owner = serializers.UUIDField(required=False, help_text="Whose the target is.")
    action = serializers.ChoiceField(choices=AuditAction.choices, required=False)
    target = serializers.CharField(required=False, max_length=64, help_text="The id of a target.")
    date_from = DayField(required=False)
    date_to = DayField(required=False)
    before = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="`next_before` of the page before."
    )
    limit = serializers.IntegerField(min_value=1, max_value=MAX_ENTRIES, default=50)


class AuditEntryOutput(serializers.ModelSerializer[AuditEntry]):
    """One act. `actor_name` is a user's name, or that of a command."""

    action = serializers.ChoiceField(choices=AuditAction.choices)
    acting_as = serializers.ChoiceField(choices=ActingAs.choices)
    created_at = serializers.DateTimeField()
    actor_name = serializers.CharField()
    target_name = serializers.CharField()
    reason = serializers.CharField()
    details = serializers.DictField()
    request_id = serializers.CharField()
    client_address = serializers.IPAddressField(allow_null=True)
    action_label = serializers.CharField(help_text="In the language of the request.")
    actor_id = serializers.UUIDField(allow_null=True)
    owner_id = serializers.UUIDField(allow_null=True)
    owner_name = serializers.CharField(source="owner.username", default="")

    class Meta:
        model = AuditEntry
        fields = (
            "number", "id", "created_at", "action", "action_label", "acting_as", "actor_id", "actor_name",
            "target_kind", "target_id", "target_name", "owner_id", "owner_name", "reason", "details",
            "request_id", "client_address",
        )  # fmt: skip


class AuditLogOutput(serializers.Serializer[Any]):
    entries = AuditEntryOutput(many=True)
    next_before = serializers.IntegerField(
        allow_null=True, help_text="Send as `before` for the next page; null on the last one."
    )


class AuditLogView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(parameters=[AuditQuery], responses=AuditLogOutput)
    def get(self, request: Request) -> Response:
        """Who did what to what is not theirs, newest first. A page costs the same however long the log is."""
        query = validated_query(request, AuditQuery)
        rows = audit_log.entries(query).select_related("owner")
        if before := query.get("before"):
            rows = rows.filter(number__lt=before)
        found = list(rows[: query["limit"] + 1])
        page = found[: query["limit"]]
        more = page[-1].number if len(found) > len(page) else None
        return Response({"entries": AuditEntryOutput(page, many=True).data, "next_before": more})
