"""How much the caller has stored, and may."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from videos.services.stored_bytes import allowance_of, used_by


class StorageOutput(serializers.Serializer[Any]):
    used_bytes = serializers.IntegerField(help_text="Of all the user's batches.")
    quota_bytes = serializers.IntegerField(allow_null=True, help_text="null: no limit.")
    retention_days = serializers.IntegerField(
        allow_null=True, help_text="A new batch keeps its files for so long; null: for ever."
    )


class StorageView(APIView):
    @extend_schema(responses=StorageOutput)
    def get(self, request: Request) -> Response:
        """How much the user has stored, how much they may, and for how long files are kept."""
        user = current_user(request)
        allowance = allowance_of(user)
        return Response(
            {
                "used_bytes": used_by(user.pk),
                "quota_bytes": allowance.quota_bytes,
                "retention_days": allowance.retention_days,
            }
        )
