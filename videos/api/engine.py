"""The state of the generation engine, as the living workers tell it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from videos import catalogue
from videos.api import serializers as shapes
from videos.scheduling.engine_state import engine_state
from videos.scheduling.figures import queue_lengths
from videos.services.credentials import problem_of


class EngineStatusView(APIView):
    @extend_schema(responses=shapes.EngineStatusOutput)
    def get(self, request: Request) -> Response:
        """The engine, whether it is ready, how long the queue is and what it takes."""
        state = engine_state()
        return Response(
            {
                "engine": state.name,
                "label": state.label,
                "ready": state.ready,
                "detail": state.detail,
                "queue": queue_lengths(),
                "capabilities": state.capabilities,
                "limits": shapes.limits_body(),
            }
        )


class TokenStatusView(APIView):
    @extend_schema(responses=shapes.TokenStatusOutput)
    def get(self, request: Request) -> Response:
        """Whether the generation engine can be used: ready, its credential neither missing nor refused."""
        state = engine_state()
        code = problem_of(state.name)
        reason = catalogue.failure(code, {}, code) if code else state.detail
        body: dict[str, Any] = {"valid": state.ready and not code}
        if not body["valid"]:
            body["error"] = reason
        return Response(body)
