"""The account at the LightX2V cloud: its tokens, limits, queue, and an unknown id's many faces."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from engines.base import EngineBusyError, EngineError, EngineStoppedError
from engines.lightx2v_cloud.engine import LightX2VCloudEngine
from engines.remote import JobOrder, JobState
from tests.standins.lightx2v_cloud import LightX2VCloudServer
from tests.standins.server import Answer


@pytest.fixture
def server() -> Iterator[LightX2VCloudServer]:
    with LightX2VCloudServer().serving() as running:
        yield running


@pytest.fixture
def engine(server: LightX2VCloudServer) -> LightX2VCloudEngine:
    return LightX2VCloudEngine.from_settings({"LIGHTX2V_CLOUD_URL": server.url}, lambda: server.refresh)


def test_a_refresh_token_is_exchanged_once_and_again_when_the_access_token_expires(
    server: LightX2VCloudServer, engine: LightX2VCloudEngine, order: JobOrder, tmp_path: Path
) -> None:
    their_id = engine.submit(order)
    engine.look([their_id])
    assert server.renewals == 1
    server.complete(their_id)
    server.access = "the old one has expired"
    engine.fetch(their_id, tmp_path / "film")
    assert (tmp_path / "film").stat().st_size > 0
    assert server.renewals == 2


def test_limits_of_the_account_are_the_engines(engine: LightX2VCloudEngine) -> None:
    assert (engine.capabilities().max_concurrent, engine.capabilities().max_per_day) == (3, 100)


def test_limits_that_are_reached_are_later(
    server: LightX2VCloudServer, engine: LightX2VCloudEngine, order: JobOrder
) -> None:
    server.active = 0
    with pytest.raises(EngineBusyError) as busy:
        engine.submit(order)
    assert busy.value.retry_after_s is not None
    server.active, server.daily = 9, 0
    with pytest.raises(EngineBusyError) as day:
        engine.submit(order)
    assert day.value.code == "day_used_up"
    server.fail(400, text="error: visit too frequently!")
    with pytest.raises(EngineBusyError) as fast:
        engine.submit(order)
    assert (fast.value.retry_after_s or 0) <= 1


def test_refusals_come_with_status_500_and_are_final(
    server: LightX2VCloudServer, engine: LightX2VCloudEngine, order: JobOrder, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    with pytest.raises(EngineError) as refused:
        engine.submit(replace(order, portrait=broken))
    assert (refused.value.code, refused.value.retryable) == ("input_refused", False)
    options = {"LIGHTX2V_CLOUD_URL": server.url, "LIGHTX2V_CLOUD_MODEL": "nope"}
    with pytest.raises(EngineStoppedError):
        LightX2VCloudEngine.from_settings(options, lambda: server.refresh).submit(order)


def test_the_place_in_the_queue_and_the_time_it_takes_are_theirs(
    server: LightX2VCloudServer, engine: LightX2VCloudEngine, order: JobOrder
) -> None:
    first, second = (engine.submit(replace(order, job_id=uuid4())) for _ in range(2))
    views = engine.look([first, second])
    assert (views[first].queue_position, views[first].eta_s) == (1, 60)
    assert (views[second].queue_position, views[second].eta_s) == (2, 120)


@pytest.mark.parametrize("clearly", [True, False])
def test_an_unknown_task_spoils_no_others_and_is_unknown_in_the_end(
    server: LightX2VCloudServer, engine: LightX2VCloudEngine, order: JobOrder, clearly: bool
) -> None:
    server.unknown_is_404 = clearly
    known, unknown = engine.submit(order), str(uuid4())
    views = engine.look([known, unknown])
    assert (views[known].state, views[unknown].state) == (JobState.WAITING, JobState.UNKNOWN)
    for _ in range(0 if clearly else 2):  # alone it could be trouble of the server's
        with pytest.raises(EngineBusyError):
            engine.look([unknown])
    assert engine.look([unknown])[unknown].state is JobState.UNKNOWN


def test_a_lost_job_is_found_on_a_later_page_and_not_among_older_ones(
    server: LightX2VCloudServer, engine: LightX2VCloudEngine, order: JobOrder
) -> None:
    their_id = engine.submit(order)
    (wanted,) = server.jobs.values()
    now = wanted.extra["create_t"]
    for index in range(120):
        extra = {"create_t": now + 1 + index / 1000, "params": {"seed": index}}
        other = replace(wanted, id=str(uuid4()), extra=extra)
        server.jobs[other.id] = other
    since = datetime.now(UTC)
    assert engine.find(order.job_id, since) == their_id
    assert engine.find(order.job_id, since + timedelta(hours=1)) is None


def test_results_at_another_host_are_fetched_without_the_token(
    server: LightX2VCloudServer, engine: LightX2VCloudEngine, order: JobOrder, tmp_path: Path
) -> None:
    """A presigned address; this one is private, and so refused unless that is allowed."""
    their_id = engine.submit(order)
    server.complete(their_id)
    with LightX2VCloudServer().serving() as store:
        url = store.url.replace("127.0.0.1", "localhost") + "/film"
        answer = server.answer
        server.answer = lambda request: (  # type: ignore[method-assign]
            Answer.of({"url": url}) if "result_url" in request.path else answer(request)
        )
        store.answer = lambda request: Answer(200, b"film", "video/mp4")  # type: ignore[method-assign]
        with pytest.raises(EngineStoppedError):
            engine.fetch(their_id, tmp_path / "film")
        options = {"LIGHTX2V_CLOUD_URL": server.url, "ENGINE_PRIVATE_RESULTS": "true"}
        LightX2VCloudEngine.from_settings(options, lambda: server.access).fetch(their_id, tmp_path / "film")
        assert "authorization" not in store.requests[-1].headers
    assert (tmp_path / "film").read_bytes() == b"film"
