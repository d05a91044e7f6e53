"""Traces as a collector gets them: one from the request to the verdict, and none unless a setting asks."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from accounts.models import User
from tests.scheduling.rendering import render
from tests.standins.observers import Collector, Span
from tests.support.rows import client_for, make_batch, make_item
from tests.support.scripted_engine import prompt
from videos.models import VideoItem
from videos.worker.runner import work_once
from zhiying.kernel import tracing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("scripted")]


@pytest.fixture
def collector(settings: LazySettings) -> Iterator[Collector]:
    with Collector().serving() as server:
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = server.url
        settings.OTEL_TRACES_SAMPLER_ARG = 1.0
        yield server
        tracing._provider().shutdown()


def told(collector: Collector) -> list[Span]:
    tracing.flush()
    return collector.spans()


def named(spans: list[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name == name]


def test_every_try_of_an_item_belongs_to_the_request_and_says_why_it_failed(
    collector: Collector, user: User, settings: LazySettings
) -> None:
    settings.RENDER_MAX_TRIES = 2
    with tracing.span("request", parent=""):
        render(user, "crash")
    spans = told(collector)
    (request,) = named(spans, "request")
    tries = named(spans, "attempt")
    assert [(one.parent, one.facts["zhiying.attempt"], one.failed) for one in tries] == [
        (request.id, 1, "render_crashed"),
        (request.id, 2, "render_crashed"),
    ]
    assert [one.failed for one in named(spans, "render")] == ["RenderFailedError"] * 2
    assert {one.trace for one in spans} == {request.trace}


def test_a_retry_belongs_to_the_request_that_asked_for_it(collector: Collector, user: User) -> None:
    batch = make_batch(user, prompt=prompt("refuse"))
    work_once()
    answer = client_for(user).post(f"/api/video/batches/{batch.pk}/retry_failed")
    assert answer.status_code == 200, answer.content
    work_once()
    spans = told(collector)
    (request,) = [span for span in spans if span.name.startswith("POST ")]
    assert [one.facts["zhiying.attempt"] for one in named(spans, "attempt") if one.parent == request.id] == [
        2
    ]


def test_what_is_not_sampled_is_not_sent_by_anybody(
    collector: Collector, user: User, settings: LazySettings
) -> None:
    settings.OTEL_TRACES_SAMPLER_ARG = 0.0
    with tracing.span("request", parent=""):
        item = make_item(user, prompt=prompt("succeed"))
    settings.OTEL_TRACES_SAMPLER_ARG = 1.0
    assert item.trace
    assert not int(item.trace[-2:], 16) & 1, "the flag that says sampled"
    work_once()
    assert told(collector) == []


def test_a_collector_that_is_away_hinders_nothing(settings: LazySettings, user: User) -> None:
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:9"
    assert render(user, "succeed").status == "completed"
    tracing._provider().shutdown()


def test_without_a_collector_rows_keep_nothing(user: User) -> None:
    with tracing.span("request", parent=""):
        item = make_item(user)
        tracing.note(failed="ignored")
    assert VideoItem.objects.get(pk=item.pk).trace == ""
    tracing.flush()
