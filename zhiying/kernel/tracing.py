"""Traces by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT says who takes them; else nothing, at no cost.

A trace begins with a request. What the request leaves for later (an item that waits) keeps `current()` in its
row, and whoever goes on with it names that as the parent: so one trace leads from the request to the video.
Spans carry ids, codes and sizes, never names, texts or addresses of people.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from django.conf import settings

from zhiying.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

MAX_PARENT_LENGTH = 55
"""Of a W3C `traceparent`, which is what `current()` gives."""
EXPORT_TIMEOUT_S = 5.0
FLUSH_TIMEOUT_MS = 5000

_starting = threading.Lock()


def is_on() -> bool:
    return bool(settings.OTEL_EXPORTER_OTLP_ENDPOINT)


def span(name: str, *, parent: str | None = None, **facts: object) -> AbstractContextManager[None]:
    """What happens within is a part of the trace: of this thread's span, or of `parent` where it is given.

    An empty `parent` begins a trace of its own. Exceptions pass through; their type is kept, their text not.
    """
    return _span(name, parent, facts) if is_on() else nullcontext()


def note(*, name: str = "", failed: object = None, **facts: object) -> None:
    """Say more of this thread's span: another name, the code of what went wrong, further facts."""
    if not is_on():
        return
    from opentelemetry.trace import StatusCode, get_current_span

    made = get_current_span()
    if name:
        made.update_name(name)
    if failed is not None:
        made.set_status(StatusCode.ERROR, str(failed))
    made.set_attributes(_attributes(facts))


def past(name: str, seconds: float, **facts: object) -> None:
    """A span of this thread's trace that took so long and has just ended."""
    if is_on():
        ended_ns = time.time_ns()
        began_ns = ended_ns - int(seconds * 1e9)
        _tracer().start_span(name, start_time=began_ns, attributes=_attributes(facts)).end(ended_ns)


def current() -> str:
    """This thread's span as a W3C `traceparent`; empty while nothing is traced."""
    if not is_on():
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


def flush() -> None:
    """Send what is finished, before a process ends without its exit handlers."""
    if is_on():
        _provider().force_flush(FLUSH_TIMEOUT_MS)


@contextmanager
def _span(name: str, parent: str | None, facts: Mapping[str, object]) -> Iterator[None]:
    from opentelemetry.trace import StatusCode

    started = _tracer().start_as_current_span(
        name,
        context=None if parent is None else _context(parent),
        attributes=_attributes(facts),
        record_exception=False,
        set_status_on_exception=False,
    )
    with started as made:
        try:
            yield
        except BaseException as error:
            made.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def _context(parent: str) -> "Context":
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent}, Context())


def _attributes(facts: Mapping[str, object]) -> dict[str, str | int | float | bool]:
    return {
        name.replace("__", "."): value if isinstance(value, str | int | float | bool) else str(value)
        for name, value in facts.items()
    }


def _tracer() -> Any:
    return _provider().get_tracer("zhiying", VERSION)


def _provider() -> "TracerProvider":
    with _starting:
        return _made_provider(
            settings.OTEL_EXPORTER_OTLP_ENDPOINT,
            settings.OTEL_EXPORTER_OTLP_HEADERS,
            settings.OTEL_SERVICE_NAME,
            settings.OTEL_TRACES_SAMPLER_ARG,
        )


@lru_cache(maxsize=1)
def _made_provider(endpoint: str, headers: str, service: str, share: float) -> "TracerProvider":
    """Made in the process that uses it, after every fork: its exporter is a thread."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.version": VERSION}),
        sampler=ParentBased(TraceIdRatioBased(share)),
    )
    exporter = OTLPSpanExporter(
        endpoint=f"{endpoint}/v1/traces", headers=_pairs(headers), timeout=EXPORT_TIMEOUT_S
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _pairs(headers: str) -> dict[str, str]:
    """`name=value` pairs as the OpenTelemetry specification writes them."""
    pairs = (pair.partition("=") for pair in headers.split(",") if "=" in pair)
    return {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs}
