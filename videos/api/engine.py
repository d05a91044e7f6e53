"""The state of the generation engine."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engines.registry import get_engine
from videos import catalogue
from videos.api import serializers as shapes
from videos.scheduling.figures import queue_lengths


class EngineStatusView(APIView):
    @extend_schema(responses=shapes.EngineStatusOutput)
    def get(self, request: Request) -> Response:
        """The engine, whether it is ready, how long the queue is and what it takes."""
        engine = get_engine(settings.GENERATION_ENGINE)
        capabilities, readiness = engine.capabilities(), engine.readiness()
        return Response(
            {
                "engine": capabilities.name,
                "label": capabilities.label,
                "ready": readiness.ready,
                "detail": catalogue.failure(readiness.code, readiness.params, readiness.detail),
                "queue": queue_lengths(),
                "capabilities": asdict(capabilities),
                "limits": shapes.limits_body(),
            }
        )


class TokenStatusView(APIView):
    @extend_schema(responses=shapes.TokenStatusOutput)
    def get(self, request: Request) -> Response:
        """Whether the generation engine can be used."""
        readiness = get_engine(settings.GENERATION_ENGINE).readiness()
        body: dict[str, Any] = {"valid": readiness.ready}
        if not readiness.ready:
            body["error"] = catalogue.failure(readiness.code, readiness.params, readiness.detail)
        return Response(body)
