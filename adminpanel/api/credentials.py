"""Credentials of engines, for administrators: set, removed and told of, never given out."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from adminpanel.api.permissions import IsAdministrator
from videos.models import CredentialUse
from videos.services import credentials
from zhiying.kernel.api.paging import validated_query
from zhiying.kernel.api.schema import error
from zhiying.kernel.body_limits import SMALL_BODY_BYTES

ENGINE_HELP = "Empty: the installation's own."


class CredentialQuery(serializers.Serializer[Any]):
    engine = serializers.CharField(
        max_length=64, required=False, allow_blank=True, default="", help_text=ENGINE_HELP
    )


class CredentialInput(CredentialQuery):
    new_token = serializers.CharField(
        max_length=credentials.MAX_CHARS, write_only=True, help_text="A key or token; never given out again."
    )


class CredentialChangedOutput(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    message = serializers.CharField()
    warning = serializers.CharField(required=False, help_text="Where the engine takes no credential.")


class CredentialOutput(serializers.Serializer[Any]):
    engine = serializers.CharField()
    use = serializers.ChoiceField(
        choices=["none", "optional", "required"], help_text="Whether the engine takes one."
    )
    origin = serializers.ChoiceField(
        choices=["stored", "environment", "none"], help_text="Where the one that holds comes from."
    )
    readable = serializers.BooleanField(help_text="False: SECRET_KEY changed, and it has to be set again.")
    set_at = serializers.DateTimeField(allow_null=True)
    set_by = serializers.CharField(help_text="A user, or the name of a command.")
    last_use = serializers.ChoiceField(
        choices=CredentialUse.Verdict.choices, help_text="What the server said when it was last shown."
    )
    last_used_at = serializers.DateTimeField(allow_null=True)


class CredentialListOutput(serializers.Serializer[Any]):
    credentials = CredentialOutput(many=True)


class CredentialView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)
    max_body_bytes = SMALL_BODY_BYTES

    @extend_schema(responses=CredentialListOutput)
    def get(self, request: Request) -> Response:
        """What is known of credentials: the installation's engine first, then all that have one."""
        return Response({"credentials": [_body(status) for status in credentials.statuses()]})

    @extend_schema(
        request=CredentialInput,
        responses={200: CredentialChangedOutput, 404: error("There is no engine of that name.")},
    )
    def patch(self, request: Request) -> Response:
        """Give an engine a credential, or another one. It works everywhere within 5 s, without a restart."""
        data = CredentialInput(data=request.data)
        data.is_valid(raise_exception=True)
        engine = data.validated_data["engine"] or settings.GENERATION_ENGINE
        warning = credentials.set_credential(
            engine=engine, new=data.validated_data["new_token"], acting_user=current_user(request)
        )
        message = _("The credential of %(engine)s was set.") % {"engine": engine}
        body = {"success": True, "message": message, **({"warning": warning} if warning else {})}
        return Response(body, headers={"Cache-Control": "no-store"})

    @extend_schema(parameters=[CredentialQuery], request=None, responses={200: CredentialChangedOutput})
    def delete(self, request: Request) -> Response:
        """Take an engine's credential away; that of the environment, if there is one, holds again."""
        engine = validated_query(request, CredentialQuery)["engine"] or settings.GENERATION_ENGINE
        removed = credentials.remove_credential(engine=engine, acting_user=current_user(request))
        message = (
            _("The credential of %(engine)s was removed.") if removed else _("%(engine)s had no credential.")
        )
        return Response({"success": True, "message": message % {"engine": engine}})


def _body(status: credentials.Status) -> dict[str, Any]:
    return {
        "engine": status.engine,
        "use": status.use,
        "origin": status.source,
        "readable": status.readable,
        "set_at": status.set_at,
        "set_by": status.set_by,
        "last_use": status.last_use,
        "last_used_at": status.last_used_at,
    }
