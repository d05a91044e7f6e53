"""The state of the generation engines, as the living workers tell it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from videos import catalogue
from videos.api import serializers as shapes
from videos.engine_names import own_engine
from videos.pricing import started_s
from videos.scheduling.engine_state import EngineState, engine_state, engine_states
from videos.scheduling.figures import queue_lengths
from videos.services.credentials import problem_of
from videos.services.engine_limits import EngineLimits, limits_of, widest
from videos.services.routing import engines_for


class EngineStatusView(APIView):
    @extend_schema(responses=shapes.EngineStatusOutput)
    def get(self, request: Request) -> Response:
        """The engines, whether they are ready, how long the queue is and what they take."""
        engines = engines_for(current_user(request))
        states = {state.name: state for state in engine_states()}
        limits = limits_of({*engines.offered, *engines.by_rule})
        own = states[own_engine()]
        prices = {started_s(name) for name in engines.by_rule}
        return Response(
            {
                **_body(
                    own, widest([limits[name] for name in engines.by_rule]), price_varies=len(prices) > 1
                ),
                "queue": queue_lengths(),
                "engines": [
                    {**_body(states[name], limits[name]), "is_default": name == own.name}
                    for name in engines.offered
                ],
            }
        )


def _body(state: EngineState, limits: EngineLimits, *, price_varies: bool = False) -> dict[str, Any]:
    return {
        "engine": state.name,
        "label": state.label,
        "ready": state.ready,
        "detail": state.detail,
        "capabilities": state.capabilities,
        "limits": shapes.limits_body(limits, price_varies=price_varies),
    }


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
