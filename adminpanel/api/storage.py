"""The store, for administrators."""

from typing import Any

from django.db.models import Count, Q, Sum
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from adminpanel.api.permissions import IsAdministrator
from videos.models import FileDeletion, Installation, StoredBytes
from videos.services.stored_bytes import allowance_of
from videos.store.installation import StoreProblem, store_problem
from zhiying.kernel.clock import database_now

LARGEST = 50
"""How many of the users who have most stored are told."""
STUBBORN_TRIES = 3


class UserStorageOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    username = serializers.CharField()
    used_bytes = serializers.IntegerField()
    quota_bytes = serializers.IntegerField(allow_null=True, help_text="null: no limit.")


class DeletionsOutput(serializers.Serializer[Any]):
    listed = serializers.IntegerField(help_text="Entries in the list of files to be removed.")
    due = serializers.IntegerField(help_text="Of them, those that could be removed now.")
    stubborn = serializers.IntegerField(help_text="Of them, those that were tried three times or more.")


class AdminStorageOutput(serializers.Serializer[Any]):
    installation = serializers.UUIDField(allow_null=True)
    problem = serializers.ChoiceField(
        choices=[problem.value for problem in StoreProblem],
        allow_blank=True,
        help_text="Why nothing is removed from the store; empty when all is well.",
    )
    deletions = DeletionsOutput()
    used_bytes = serializers.IntegerField(help_text="Of all users together.")
    users = UserStorageOutput(many=True, help_text="Those who have most stored.")


class StorageView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(operation_id="admin_storage_retrieve", responses=AdminStorageOutput)
    def get(self, request: Request) -> Response:
        """Whether the store is ours, what is to be removed from it, and who has most in it."""
        installation = Installation.objects.first()
        largest = StoredBytes.objects.select_related("user__group").order_by("-bytes")[:LARGEST]
        return Response(
            {
                "installation": str(installation.uuid) if installation else None,
                "problem": store_problem().value,
                "deletions": FileDeletion.objects.aggregate(
                    listed=Count("pk"),
                    due=Count("pk", filter=Q(due_at__lte=database_now())),
                    stubborn=Count("pk", filter=Q(tries__gte=STUBBORN_TRIES)),
                ),
                "used_bytes": StoredBytes.objects.aggregate(total=Sum("bytes"))["total"] or 0,
                "users": [_body(row) for row in largest],
            }
        )


def _body(row: StoredBytes) -> dict[str, Any]:
    return {
        "id": str(row.user_id),
        "username": row.user.username,
        "used_bytes": row.bytes,
        "quota_bytes": allowance_of(row.user).quota_bytes,
    }
