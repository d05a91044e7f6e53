"""Stand-ins for those who watch: a collector of traces (OTLP over HTTP), and Sentry."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.standins.server import Answer, Request, StandIn


@dataclass(frozen=True)
class Span:
    """What a collector was told of one span."""

    trace: str
    id: str
    parent: str
    name: str
    began_ns: int
    ended_ns: int
    failed: str
    facts: Mapping[str, Any]


class Collector(StandIn):
    """Takes traces."""

    def answer(self, request: Request) -> Answer:
        return Answer(404) if request.path != "/v1/traces" else Answer(200, b"", "application/x-protobuf")

    def spans(self) -> list[Span]:
        with self.lock:
            bodies = [request.body for request in self.asked("POST", "/v1/traces")]
        return [span for body in bodies for span in _spans(body)]


def _spans(body: bytes) -> list[Span]:
    told = ExportTraceServiceRequest.FromString(body)
    return [
        Span(
            trace=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            name=span.name,
            began_ns=span.start_time_unix_nano,
            ended_ns=span.end_time_unix_nano,
            failed=span.status.message,
            facts={fact.key: _value(fact.value) for fact in span.attributes},
        )
        for resource in told.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


class Sentry(StandIn):
    """Takes reports."""

    log = ""
    """What the program that reports has logged."""

    @property
    def dsn(self) -> str:
        return self.url.replace("://", "://0123456789abcdef@") + "/1"

    def answer(self, request: Request) -> Answer:
        return Answer.of({"id": "0"})

    def sent(self) -> list[bytes]:
        """What reached it, bodies and headers, as they would be read there."""
        with self.lock:
            return [_unpacked(request) for request in self.asked("POST", "/envelope/")]

    def events(self) -> list[Mapping[str, Any]]:
        found = []
        for body in self.sent():
            lines = body.split(b"\n")
            for head, content in zip(lines[1::2], lines[2::2], strict=False):
                if json.loads(head).get("type") == "event":
                    found.append(json.loads(content))
        return found


def _unpacked(request: Request) -> bytes:
    packed = request.headers.get("content-encoding")
    assert packed in {None, "gzip"}, packed
    return gzip.decompress(request.body) if packed else request.body
