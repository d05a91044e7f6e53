"""DashScope's models: detection before submission, their limits, and its error codes as ours."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engines.audio import wav_within
from engines.base import EngineBusyError, EngineError, EngineStoppedError, NoFaceError
from engines.dashscope.engine import DashScopeEngine
from engines.dashscope.models import MODELS
from engines.dashscope.troubles import error_of
from engines.remote import JobOrder
from tests.standins.dashscope import DashScopeServer
from tests.standins.films import write_speech
from tests.standins.server import wav_length_s


@pytest.fixture
def server() -> Iterator[DashScopeServer]:
    with DashScopeServer().serving() as running:
        yield running


def engine(server: DashScopeServer, model: str = "wan2.2-s2v") -> DashScopeEngine:
    options = {"DASHSCOPE_URL": f"{server.url}/api/v1", "DASHSCOPE_MODEL": model}
    return DashScopeEngine.from_settings(options, lambda: server.key)


@pytest.mark.parametrize("model", MODELS)
def test_each_model_gets_what_it_wants(server: DashScopeServer, order: JobOrder, model: str) -> None:
    their_id = engine(server, model).submit(order)
    given = server.jobs[their_id].extra["given"]
    assert given["model"] == model
    assert given["parameters"] == MODELS[model].parameters
    assert server.store[given["input"]["image_url"]] == order.portrait.read_bytes()
    assert server.store[given["input"]["audio_url"]] == order.audio.read_bytes()
    assert {"face_bbox", "ext_bbox"} <= given["input"].keys() or model != "emo-v1"
    assert engine(server, model).capabilities().needs_face


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ({"check_pass": False, "code": "InvalidFile.NoHuman", "message": "no human"}, "no_face"),
        ({"check_pass": True, "humanoid": False}, "no_face"),
        ({"pass": False, "message": "The face is too small"}, "no_face"),
        ({"check_pass": False, "message": "The resolution is invalid"}, "input_refused"),
        ({"check_pass": False, "code": "DataInspectionFailed", "message": "x"}, "content_refused"),
    ],
)
def test_a_portrait_that_the_detector_refuses_is_not_paid_for(
    server: DashScopeServer, order: JobOrder, found: dict[str, object], code: str
) -> None:
    server.detection = found
    with pytest.raises(EngineError) as refused:
        engine(server).submit(order)
    assert (refused.value.code, refused.value.retryable) == (code, False)
    assert server.jobs == {}
    assert server.asked("POST", "video-synthesis") == []


def test_addresses_of_ours_are_used_where_the_order_names_them(
    server: DashScopeServer, order: JobOrder
) -> None:
    server.store = {"https://ours/p": order.portrait.read_bytes(), "https://ours/a": order.audio.read_bytes()}
    options = {"portrait_url": "https://ours/p", "audio_url": "https://ours/a"}
    engine(server).submit(replace(order, options=options))
    assert server.asked("POST", "/store") == []


@pytest.mark.parametrize(
    ("code", "kind", "ours"),
    [
        ("Throttling.RateQuota", EngineBusyError, "server_busy"),
        ("Throttling", EngineBusyError, "server_busy"),
        ("Arrearage", EngineStoppedError, "quota_used_up"),
        ("InvalidApiKey", EngineStoppedError, "credential_rejected"),
        ("Model.AccessDenied", EngineStoppedError, "credential_rejected"),
        ("DataInspectionFailed", EngineError, "content_refused"),
        ("InvalidFile.Resolution", EngineError, "input_refused"),
        ("InvalidFile.NoHuman", NoFaceError, "no_face"),
        ("InternalError.Timeout", EngineError, "generation_failed"),
    ],
)
def test_its_codes_are_ours(code: str, kind: type[EngineError], ours: str) -> None:
    error = error_of(code, "words")
    assert isinstance(error, kind)
    assert error.code == ours
    assert error.retryable == (kind in (EngineBusyError, EngineStoppedError) or "Internal" in code)


def test_a_model_there_is_not_is_the_operators_trouble(server: DashScopeServer) -> None:
    with pytest.raises(EngineStoppedError):
        engine(server, "wan9")


def test_a_long_recording_is_sent_smaller(tmp_path: Path) -> None:
    path = write_speech(tmp_path / "a.wav", 3.0)
    size = path.stat().st_size
    for limit, most in ((size, size), (size - 1, size / 2 + 100), (size // 3 + 100, size / 3 + 100)):
        data = wav_within(path, limit)
        assert len(data) <= most
        assert wav_length_s(data) == pytest.approx(3.0, abs=0.01)
