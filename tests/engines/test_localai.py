"""LocalAI's synchronous `/video`, against a stand-in of it."""

import base64
import time
from collections.abc import Iterator

import pytest

from engines.base import EngineBusyError, EngineError, RenderCancelled, RenderSpec
from engines.openai_videos.synchronous import LocalAIEngine
from engines.registry import get_engine
from engines.sandbox import child_environment
from tests.engines.portrait.reading import read_clip
from tests.standins.server import Answer, Request, StandIn, film_of, wav_length_s

KEY = "sk-secret-0123456789abcdef"


class LocalAIServer(StandIn):
    """After LocalAI's video endpoint at 82c191af; answers with the video itself or with its address."""

    by_address = False

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/generated/"):
            return Answer(200, film_of(2.0), "video/mp4")
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Answer.of({"error": {"code": 401, "message": "An authentication key is required"}}, 401)
        if request.path == "/v1/models":
            return Answer.of({"data": [{"id": "longcat-video-avatar-1.5"}]})
        asked = request.json()
        length = wav_length_s(base64.b64decode(asked["audio"]))
        if length > 25:
            return Answer.of({"error": {"code": 400, "message": "the audio needs more than 8 segments"}}, 400)
        if self.by_address:
            data = {"url": f"{self.url}/generated/video.mp4"}
        else:
            data = {"b64_json": base64.b64encode(film_of(length)).decode()}
        return Answer.of({"id": "x", "created": 1795340149, "data": [data]})


@pytest.fixture
def server() -> Iterator[LocalAIServer]:
    with LocalAIServer().serving() as running:
        yield running


@pytest.fixture
def engine(server: LocalAIServer) -> LocalAIEngine:
    return LocalAIEngine({"LOCALAI_URL": server.url, "LOCALAI_KEY": KEY, "LOCALAI_TIMEOUT_S": "5"})


@pytest.mark.parametrize("by_address", [False, True])
def test_a_video_comes_in_the_answer_or_from_its_address(
    server: LocalAIServer, engine: LocalAIEngine, spec: RenderSpec, by_address: bool
) -> None:
    server.by_address = by_address
    shares: list[float] = []
    assert engine.readiness().ready
    assert engine.render(spec, shares.append, lambda: False).duration_s == 2.0
    assert read_clip(spec.output).metadata["AIGC"]
    assert shares == sorted(shares)


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("dropped", EngineBusyError, "server_unreachable"),
        ("truncated", EngineBusyError, "server_unreachable"),
        ("garbage", EngineBusyError, "server_answer"),
        (503, EngineBusyError, "server_busy"),
        (400, EngineError, "input_refused"),
        (500, EngineError, "generation_failed"),
    ],
)
def test_trouble_is_told_apart(
    server: LocalAIServer,
    engine: LocalAIEngine,
    spec: RenderSpec,
    fault: str | int,
    kind: type[EngineError],
    code: str,
) -> None:
    server.fail(fault)
    with pytest.raises(kind) as trouble:
        engine.render(spec, lambda share: None, lambda: False)
    assert trouble.value.code == code
    assert not spec.output.exists()


def test_a_render_is_cancelled_at_once(
    server: LocalAIServer, engine: LocalAIEngine, spec: RenderSpec
) -> None:
    server.fail("slow")
    started = time.monotonic()
    with pytest.raises(RenderCancelled):
        engine.render(spec, lambda share: None, lambda: time.monotonic() - started > 0.3)
    assert time.monotonic() - started < 3


def test_a_key_that_is_not_taken_is_told(server: LocalAIServer) -> None:
    assert LocalAIEngine({"LOCALAI_URL": server.url}).readiness().code == "credential_rejected"
    assert LocalAIEngine({}).readiness().code == "engine_setting"
    assert isinstance(get_engine("localai"), LocalAIEngine)


def test_settings_reach_the_process_that_renders_and_the_key_only_when_it_is_named() -> None:
    given = {"LOCALAI_URL": "http://a", "COMMAND_PRESET": "sadtalker", "LOCALAI_KEY": KEY}
    assert child_environment(given) == {"LOCALAI_URL": "http://a", "COMMAND_PRESET": "sadtalker"}
    assert child_environment({**given, "RENDER_ENVIRONMENT": "LOCALAI_KEY"})["LOCALAI_KEY"] == KEY
