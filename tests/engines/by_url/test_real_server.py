"""What we rely on at a remote engine's server, asked of a real one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from engines.base import EngineError, RenderSpec
from engines.remote import JobOrder, JobState
from engines.results import make_ours
from tests.engines.by_url.conftest import Server

OVER = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN)


def test_it_is_ready(server: Server) -> None:
    ready = server.engine.readiness()
    assert ready.ready, ready.detail


def test_a_job_becomes_a_video_of_ours(server: Server, tmp_path: Path) -> None:
    their_id = server.submit(server.order)
    view = server.until(their_id, OVER)
    assert view.state is JobState.DONE, view.error
    generated = tmp_path / "generated"
    server.engine.fetch(their_id, generated)
    spec = RenderSpec(
        portrait=server.order.portrait,
        audio=server.order.audio,
        output=tmp_path / "video.mp4",
        poster=tmp_path / "poster.jpg",
    )
    made = make_ours(generated, spec, lambda share: None, lambda: False)
    assert made.duration_s == pytest.approx(server.order.audio_s, abs=0.5)
    assert spec.output.stat().st_size > 0


def test_a_job_whose_answer_was_lost_is_found_or_was_never_there(server: Server) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert server.engine.find(uuid4(), since) is None
    their_id = server.submit(server.order)
    try:
        found = server.engine.find(server.order.job_id, since)
        assert found in (their_id, None)  # None: a server that can tell of no job but by its own id
    finally:
        server.engine.cancel(their_id)


def test_a_cancelled_job_ends(server: Server) -> None:
    their_id = server.submit(server.order)
    server.engine.cancel(their_id)
    server.until(their_id, OVER)
    server.engine.cancel(their_id)  # once more is no error


def test_jobs_are_looked_at_together_and_one_nobody_knows_is_told(server: Server) -> None:
    real = server.submit(server.order)
    unknown = real.replace(real.rpartition("|")[2], str(uuid4()))
    try:
        views = server.engine.look([real, unknown])
        assert views[unknown].state is JobState.UNKNOWN
        assert views[real].state is not JobState.UNKNOWN
    finally:
        server.engine.cancel(real)
    server.engine.cancel(unknown)


def test_a_portrait_that_is_no_picture_is_refused(server: Server, tmp_path: Path) -> None:
    """By the answer or by the job, and as final: to send it again would change nothing."""
    notes = tmp_path / "portrait.jpg"
    notes.write_bytes(b"milk, bread" * 100)
    error = why_refused(server, replace(server.order, portrait=notes))
    assert error is not None
    assert not error.retryable, error


def why_refused(server: Server, order: JobOrder) -> EngineError | None:
    """What the answer or the job says; None where it became a video."""
    try:
        return server.until(server.submit(order), OVER).error
    except EngineError as error:
        return error
