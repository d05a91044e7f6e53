"""The child process by itself, and engines that are plugged in beside ours."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import LazySettings

from engines.base import EngineUnavailableError
from engines.registry import engine_paths, get_engine
from tests.plugins.environment import ROOT
from tests.scheduling.conftest import rendering_processes
from tests.servers.process import wait_until
from tests.support.processes import is_running
from tests.support.scripted_engine import NAME, VARIABLE, prompt
from videos.checks import generation_settings

WAIT_S = 120

PARENT = """
import sys
from pathlib import Path
from engines.base import RenderSpec
from videos.worker.renderer import Renderer, RenderLimits

folder = Path(sys.argv[1])
paths = {"portrait": folder / "p", "audio": folder / "a", "output": folder / "v"}
spec = RenderSpec(**paths, prompt=sys.argv[2], options={"aigc_produce_id": "item"})
limits = RenderLimits(time_s=300, memory_mb=1000, heartbeat_s=0.1)
Renderer("scripted", limits).render(spec, lambda share: True)
"""


def test_a_render_ends_with_its_worker(tmp_path: Path) -> None:
    """A worker that is killed cannot tell its child; the child notices by itself."""
    counted = tmp_path / "counted"
    counted.mkdir()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), prompt("hang", folder=counted)],
        cwd=ROOT,
        env={**os.environ, "EXTRA_ENGINES": VARIABLE},
    )
    try:
        wait_until(lambda: bool(rendering_processes(counted)), timeout_s=WAIT_S, what="the render")
        (child,) = rendering_processes(counted)
        assert is_running(child)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_until(lambda: not is_running(child), timeout_s=WAIT_S, what="the end of the render")


def test_engines_of_others_stand_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRA_ENGINES", f" {VARIABLE} , portrait=some.thief:Engine,")
    assert engine_paths()[NAME] == "tests.support.scripted_engine:ScriptedEngine"
    assert engine_paths()["portrait"].startswith("engines.portrait")
    assert get_engine(NAME).capabilities().name == NAME


@pytest.mark.parametrize("path", ["", "no_such_module:Engine", "engines.base:NoSuchEngine", "json"])
def test_an_engine_that_cannot_be_loaded_is_not_ready(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRA_ENGINES", f"broken={path}")
    with pytest.raises(EngineUnavailableError):
        get_engine("broken")


def test_an_engine_that_nobody_knows_is_a_system_check(settings: LazySettings) -> None:
    settings.GENERATION_ENGINE = "nobody"
    (problem,) = generation_settings(None)
    assert problem.id == "videos.E001"
    assert "portrait" in str(problem.hint)


def test_a_lease_shorter_than_three_heartbeats_is_a_system_check(settings: LazySettings) -> None:
    settings.LEASE_S, settings.HEARTBEAT_S = 1.0, 0.5
    assert [problem.id for problem in generation_settings(None)] == ["videos.E002"]
