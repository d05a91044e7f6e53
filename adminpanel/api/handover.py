"""The way from the web application to the administration site, without a second log-in."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import session_id_of
from accounts.services.handover import LIFETIME, handover_begin
from adminpanel.api.permissions import IsAdministrator


class HandoverOutput(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Good once.")
    url = serializers.CharField(
        help_text="Where a page of this origin posts the form fields `code` and, for a page, `next`."
    )
    expires_in = serializers.IntegerField(help_text="Seconds.")


class HandoverView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(request=None, responses={201: HandoverOutput})
    def post(self, request: Request) -> Response:
        """A code by which the browser enters the administration site as whoever is logged in here."""
        body = {
            "code": handover_begin(session_id=session_id_of(request)),
            "url": reverse("admin:enter"),
            "expires_in": int(LIFETIME.total_seconds()),
        }
        return Response(body, status=201, headers={"Cache-Control": "no-store"})
