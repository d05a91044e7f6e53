"""The workers, for administrators."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from adminpanel.api.permissions import IsAdministrator
from videos.engine_names import all_engines
from videos.models import Worker
from videos.scheduling.engine_state import EngineState, state_of, trouble_text
from videos.scheduling.figures import living_workers


class EngineStateOutput(serializers.Serializer[Any]):
    engine = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # hides Field.label, unused here
    ready = serializers.BooleanField()
    detail = serializers.CharField(help_text="Why not, for people.")
    capabilities = serializers.DictField()


class WorkerOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField(help_text="Host and process.")
    version = serializers.CharField()
    state = serializers.ChoiceField(choices=Worker.State.choices)
    trouble = serializers.CharField(help_text="Code of why it takes no items; empty while it does.")
    detail = serializers.CharField(help_text="The same for people.")
    slots = serializers.IntegerField(help_text="Renders at once.")
    engines = serializers.ListField(child=serializers.CharField())
    engine_states = EngineStateOutput(many=True, help_text="The same engines, as this worker has them.")
    rendering = serializers.ListField(child=serializers.UUIDField(), help_text="Items.")
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()


class WorkerListOutput(serializers.Serializer[Any]):
    engines = EngineStateOutput(
        many=True,
        help_text="All of the installation, its own first, each as the best of its workers has it.",
    )
    workers = WorkerOutput(many=True)


class WorkersView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(responses=WorkerListOutput)
    def get(self, request: Request) -> Response:
        """Every worker process that was seen within the last 20 s, and what it does."""
        workers = list(living_workers())
        return Response(
            {
                "engines": [_engine_body(state_of(name, workers)) for name in all_engines()],
                "workers": [_body(worker) for worker in workers],
            }
        )


def _engine_body(state: EngineState) -> dict[str, Any]:
    return {
        "engine": state.name,
        "label": state.label,
        "ready": state.ready,
        "detail": state.detail,
        "capabilities": state.capabilities,
    }


def _body(worker: Worker) -> dict[str, Any]:
    return {
        "id": str(worker.pk),
        "name": worker.name,
        "version": worker.version,
        "state": worker.state,
        "trouble": worker.trouble,
        "detail": trouble_text(worker.trouble),
        "slots": worker.slots,
        "engines": sorted(worker.engines),
        "engine_states": [_engine_body(state_of(name, [worker])) for name in sorted(worker.engines)],
        "rendering": worker.rendering,
        "started_at": worker.started_at,
        "seen_at": worker.seen_at,
    }
