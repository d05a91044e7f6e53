"""What holds for every remote engine, against a stand-in of its server."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engines.base import (
    EngineBusyError,
    EngineError,
    EngineStoppedError,
    EngineUnavailableError,
    RenderSpec,
)
from engines.registry import REMOTE_ENGINES
from engines.remote import JobState, JobView
from engines.results import make_ours
from tests.engines.remote.conftest import AUDIO_S, KINDS, SECRET, Setting

LONG_AGO = datetime.now(UTC) - timedelta(minutes=1)


def view_of(setting: Setting, their_id: str) -> JobView:
    return setting.engine.look([their_id])[their_id]


def test_every_remote_engine_is_tested_here() -> None:
    assert {kind.name for kind in KINDS.values()} == {*REMOTE_ENGINES, "sixth"}


def test_the_worked_example_of_the_documentation_is_short(sixth: str) -> None:
    assert 50 < len(sixth.splitlines()) < 100


# --- The way of a job ---


def test_a_job_goes_from_submission_to_a_video_of_ours(setting: Setting, tmp_path: Path) -> None:
    their_id = setting.engine.submit(setting.order)
    (job,) = setting.server.jobs.values()
    assert job.audio_s == pytest.approx(AUDIO_S, abs=0.05)
    assert view_of(setting, their_id).state is JobState.WAITING
    setting.server.begin(job.id)
    assert view_of(setting, their_id).state is JobState.RUNNING
    setting.server.complete(job.id)
    assert view_of(setting, their_id).state is JobState.DONE
    setting.engine.fetch(their_id, tmp_path / "raw")
    assert (tmp_path / "raw").read_bytes() == job.film
    spec = RenderSpec(
        portrait=setting.order.portrait, audio=setting.order.audio, output=tmp_path / "video.mp4"
    )
    assert make_ours(tmp_path / "raw", spec, lambda share: None, lambda: False).duration_s == AUDIO_S


def test_what_the_engine_says_of_itself(setting: Setting) -> None:
    capabilities = setting.engine.capabilities()
    assert capabilities.name == setting.kind.name
    assert capabilities.kind == "remote"
    assert not capabilities.label_made
    assert setting.server.requests == []  # it knows without asking


def test_prompt_and_seed_arrive(setting: Setting) -> None:
    if not setting.engine.capabilities().understands_prompt:
        return
    setting.engine.submit(setting.order)
    (job,) = setting.server.jobs.values()
    assert setting.order.prompt in job.prompt
    assert job.seed is not None
    assert 0 <= job.seed < 2**32


def test_many_jobs_are_looked_at_together(setting: Setting) -> None:
    ids = []
    for _ in range(3):
        ids.append(setting.engine.submit(setting.another()))
        setting.server.complete(setting.server_id(ids[-1]))
    before = len(setting.server.requests)
    views = setting.engine.look(ids)
    assert {views[one].state for one in ids} == {JobState.DONE}
    assert len(setting.server.requests) - before <= 3


def test_a_job_that_failed_says_why(setting: Setting) -> None:
    their_id = setting.engine.submit(setting.order)
    setting.server.break_off(setting.server_id(their_id), "the mesh is not a manifold")
    view = view_of(setting, their_id)
    assert view.state is JobState.FAILED
    assert view.error is not None
    assert not view.error.retryable
    assert "manifold" in view.error.detail


def test_a_machine_in_trouble_may_be_asked_again(setting: Setting) -> None:
    their_id = setting.engine.submit(setting.order)
    setting.server.break_off(setting.server_id(their_id), "CUDA out of memory")
    error = view_of(setting, their_id).error
    assert error is not None
    assert error.retryable


def test_a_refusal_by_content_policy_is_told_as_such(setting: Setting) -> None:
    their_id = setting.engine.submit(setting.order)
    setting.server.break_off(setting.server_id(their_id), "Input data may contain inappropriate content.")
    error = view_of(setting, their_id).error
    assert error is not None
    assert (error.code, error.retryable) == ("content_refused", False)


def test_a_job_the_server_has_forgotten_is_unknown(setting: Setting) -> None:
    their_id, other = setting.engine.submit(setting.order), None
    setting.server.complete(setting.server_id(their_id))
    other = setting.engine.submit(setting.another())
    setting.server.forget(setting.server_id(their_id))
    views = setting.engine.look([their_id, other])
    assert views[their_id].state is JobState.UNKNOWN
    assert views[other].state is JobState.WAITING


# --- Cancelling ---


def test_a_waiting_job_is_cancelled_and_so_is_one_that_is_over_or_unknown(setting: Setting) -> None:
    waiting = setting.engine.submit(setting.order)
    setting.engine.cancel(waiting)
    assert setting.server.jobs[setting.server_id(waiting)].state == "cancelled"
    setting.engine.cancel(waiting)
    over = setting.engine.submit(setting.another())
    setting.server.complete(setting.server_id(over))
    setting.engine.cancel(over)
    setting.server.forget(setting.server_id(over))
    setting.engine.cancel(over)


# --- An answer that was lost ---


@pytest.mark.parametrize("fault", ["lost", "truncated", "garbage"])
def test_a_job_whose_answer_was_lost_is_found_and_not_made_twice(setting: Setting, fault: str) -> None:
    since = datetime.now(UTC)
    setting.server.fail(fault, method="POST", path=setting.kind.submit)
    with pytest.raises(EngineBusyError):
        setting.engine.submit(setting.order)
    (job,) = setting.server.jobs.values()
    found = setting.engine.find(setting.order.job_id, since)
    if not setting.kind.finds_lost:
        return
    assert found is not None
    assert setting.server_id(found) == job.id
    assert view_of(setting, found).state is JobState.WAITING


@pytest.mark.parametrize("fault", ["dropped", 500, 503, 429])
def test_a_job_that_never_arrived_is_not_found(setting: Setting, fault: str | int) -> None:
    setting.server.fail(fault, method="POST", path=setting.kind.submit)
    with pytest.raises(EngineBusyError):
        setting.engine.submit(setting.order)
    assert setting.server.jobs == {}
    assert setting.engine.find(setting.order.job_id, LONG_AGO) is None
    setting.engine.submit(setting.order)
    assert len(setting.server.jobs) == 1


def test_not_being_told_is_not_the_same_as_not_being_there(setting: Setting) -> None:
    setting.server.fail("lost", method="POST", path=setting.kind.submit)
    with pytest.raises(EngineBusyError):
        setting.engine.submit(setting.order)
    setting.server.fail("dropped", times=9)
    if setting.kind.finds_lost:
        with pytest.raises(EngineBusyError):
            setting.engine.find(setting.order.job_id, LONG_AGO)


def test_the_same_job_sent_twice_is_one_where_the_server_takes_our_id(setting: Setting) -> None:
    if setting.kind.takes_our_id:
        first = setting.engine.submit(setting.order)
        setting.server.begin(setting.server_id(first))
        setting.server.complete(setting.server_id(first))
        assert setting.engine.submit(setting.order) == first
        assert len(setting.server.jobs) == 1


# --- Trouble ---


@pytest.mark.parametrize("fault", ["dropped", "truncated", "garbage", 500, 502, 503, 429])
def test_trouble_while_looking_is_later_and_loses_nothing(setting: Setting, fault: str | int) -> None:
    their_id = setting.engine.submit(setting.order)
    setting.server.fail(fault, times=20)
    with pytest.raises(EngineBusyError):
        setting.engine.look([their_id])
    setting.server.faults.clear()
    assert view_of(setting, their_id).state is JobState.WAITING


@pytest.mark.parametrize("fault", ["dropped", "truncated", 500, 503])
def test_a_result_that_does_not_arrive_whole_is_fetched_again(
    setting: Setting, tmp_path: Path, fault: str | int
) -> None:
    their_id = setting.engine.submit(setting.order)
    setting.server.complete(setting.server_id(their_id))
    setting.server.fail(fault, times=20)
    target = tmp_path / "out" / "film"
    target.parent.mkdir()
    with pytest.raises(EngineUnavailableError):
        setting.engine.fetch(their_id, target)
    assert list(target.parent.iterdir()) == []
    setting.server.faults.clear()
    setting.engine.fetch(their_id, target)
    assert target.stat().st_size > 0


def test_a_refused_input_is_final(setting: Setting) -> None:
    status, text = setting.kind.refused
    setting.server.fail(status, method="POST", path=setting.kind.submit, text=text)
    with pytest.raises(EngineError) as refused:
        setting.engine.submit(setting.order)
    assert not refused.value.retryable
    assert refused.value.code == "input_refused"


@pytest.mark.parametrize("fault", ["dropped", "garbage", 500, 503, 401])
def test_readiness_never_raises_and_asks_once(setting: Setting, fault: str | int) -> None:
    assert setting.engine.readiness().ready
    asked = len(setting.server.requests)
    assert asked <= 1
    setting.server.fail(fault, times=20)
    assert not setting.engine.readiness().ready
    setting.server.faults.clear()
    assert setting.engine.readiness().ready


def test_a_server_that_is_away_is_later(setting: Setting) -> None:
    setting.server.fail("dropped", times=99)
    started = time.monotonic()
    with pytest.raises(EngineBusyError):
        setting.engine.submit(setting.order)
    assert time.monotonic() - started < 10


# --- Credentials ---


def test_a_rejected_credential_stops_the_engine_and_a_new_one_needs_no_restart(setting: Setting) -> None:
    if not setting.kind.secured:
        return
    setting.credentials.append("sk-old-and-rejected-000000")
    with pytest.raises(EngineStoppedError) as stopped:
        setting.engine.submit(setting.order)
    assert stopped.value.code == "credential_rejected"
    assert setting.engine.readiness().code == "credential_rejected"
    setting.credentials.append("")
    with pytest.raises(EngineStoppedError) as missing:
        setting.engine.submit(setting.order)
    assert missing.value.code == "credential_missing"
    setting.credentials.append(SECRET)
    assert setting.engine.submit(setting.order)


def test_no_secret_is_in_an_address_or_an_error(setting: Setting) -> None:
    their_id = setting.engine.submit(setting.order)
    setting.server.fail(500, times=9, text=f"trouble with Bearer {SECRET}")
    with pytest.raises(EngineError) as trouble:
        setting.engine.submit(setting.another())
    assert SECRET not in f"{trouble.value!r} {trouble.value.params}"
    assert SECRET not in their_id
    assert all(SECRET not in f"{request.path}{request.query}" for request in setting.server.requests)
