"""Runs against a real server, when somebody names one: `make engine ENGINE=NAME`, with its settings given."""

import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from engines.base import EngineBusyError
from engines.registry import make_remote_engine
from engines.remote import JobOrder, JobState, JobView, RemoteEngine
from tests.plugins.environment import given
from videos.media.audio import prepare_audio

ENGINE_VARIABLE, LIMIT_VARIABLE = "ENGINE_UNDER_TEST", "ENGINE_TIME_LIMIT_S"
LIMIT_S, LOOK_S = 1800.0, 1.0
MEDIA = Path(__file__).parents[2] / "media"

collect_ignore_glob = [] if ENGINE_VARIABLE in os.environ else ["test_*.py"]


@dataclass
class Server:
    """An engine with a real server behind it, and an order to give it."""

    engine: RemoteEngine
    order: JobOrder

    def submit(self, order: JobOrder) -> str:
        """Its id; a server that is busy with something else is waited for."""
        since, ends_at = datetime.now(UTC), time.monotonic() + limit_s()
        while True:
            try:
                return self.engine.submit(order)
            except EngineBusyError:
                found = self.engine.find(order.job_id, since)
                if found is not None:
                    return found
                if time.monotonic() > ends_at:
                    raise
                time.sleep(LOOK_S)

    def until(self, their_id: str, states: Collection[JobState]) -> JobView:
        """What the server says of a job once it is in one of the states."""
        ends_at, view = time.monotonic() + limit_s(), None
        while time.monotonic() < ends_at:
            view = self.engine.look([their_id]).get(their_id)
            if view is not None and view.state in states:
                return view
            time.sleep(LOOK_S)
        raise AssertionError(f"not {' or '.join(states)} within {limit_s():.0f} s: {view}")


def limit_s() -> float:
    return float(os.environ.get(LIMIT_VARIABLE) or LIMIT_S)


@pytest.fixture(scope="session")
def engine() -> RemoteEngine:
    """The engine that was named, as a worker would make it."""
    return make_remote_engine(os.environ[ENGINE_VARIABLE], given, lambda: given.get("ENGINE_CREDENTIAL", ""))


@pytest.fixture
def server(engine: RemoteEngine, tmp_path: Path) -> Server:
    audio = tmp_path / "speech.wav"
    found = prepare_audio(MEDIA / "speech-en-librivox-0930.wav", wav_out=audio)
    return Server(
        engine,
        JobOrder(
            job_id=uuid4(),
            portrait=MEDIA / "portrait-astronaut.jpg",
            audio=audio,
            prompt="a person speaks to the camera",
            seed=7,
            audio_s=found.duration_s,
        ),
    )
